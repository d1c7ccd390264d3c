//! A plan prints itself: one line a call, buffers by name.

use std::fmt::{self, Write as _};

use super::{Buf, Cols, Op, PLAN_IDS, Plan, PlanId, Program};
use crate::kernels::{Base, Call};

impl Program {
    /// The buffers and every plan as text.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        writeln!(out, "buffers ({} trajectories)", self.batch)?;
        for spec in self.buffers.iter().filter(|s| !s.is_empty()) {
            writeln!(
                out,
                "  {:<24} {:>7} x {:<7} {:?} {:?}",
                spec.name, spec.rows, spec.cols, spec.elem, spec.role
            )?;
        }
        for id in PLAN_IDS {
            let plan = self.plan(id);
            let cost = self.cost(id, 3);
            writeln!(
                out,
                "\nplan {id:?} ({} calls, {:.3} MFLOP in products at 3 solver iterations)",
                cost.calls,
                cost.flops as f64 / 1e6
            )?;
            if let Some(kernel) = self.whole(id) {
                writeln!(out, "  as a whole where that is faster (`{kernel}`); call by call:")?;
            }
            self.write_plan(out, plan)?;
        }
        Ok(())
    }

    /// The kernel that takes the place of a plan's calls, where there is one.
    fn whole(&self, id: PlanId) -> Option<&'static str> {
        match id {
            PlanId::ResidentStep if self.layered.is_some() => Some("layered_step"),
            PlanId::Step if self.small.is_some() => Some("small_step"),
            _ => None,
        }
    }

    fn write_plan(&self, out: &mut String, plan: &Plan) -> fmt::Result {
        self.write_ops(out, &plan.ops, 1)
    }

    fn write_ops(&self, out: &mut String, ops: &[Op], depth: usize) -> fmt::Result {
        for op in ops {
            write!(out, "{:1$}", "", 2 * depth)?;
            match op {
                Op::Call(call) => writeln!(out, "{:<12} {}", call.name(), self.formula(call))?,
                Op::Loop(l) => {
                    writeln!(out, "at most {} times, until {} converges:", l.at_most, self.name(l.until))?;
                    self.write_ops(out, &l.body, depth + 1)?;
                }
            }
        }
        Ok(())
    }

    fn name(&self, buf: Buf) -> &str {
        &self.spec(buf).name
    }

    fn at(&self, buf: Buf, cols: Cols) -> String {
        format!("{}[{}..{}]", self.name(buf), cols.start, cols.end())
    }

    fn based(&self, base: Base, out: Buf) -> String {
        match base {
            Base::Zero => String::new(),
            Base::Out => format!("{} + ", self.name(out)),
            Base::From(b) => format!("{} + ", self.name(b)),
        }
    }

    /// The products in full; elementwise kernels by what they write.
    fn formula(&self, call: &Call) -> String {
        let gate = |g: Option<Buf>| g.map_or(String::new(), |g| format!("{} * ", self.name(g)));
        let sign = |s: f64| if s == 1.0 { String::new() } else { format!("{s} ") };
        match call {
            Call::Forward(a) => format!(
                "{} = {}{}({}) ({}{})",
                self.at(a.out, a.post),
                self.based(a.base, a.out),
                sign(a.scale),
                self.name(a.w),
                gate(a.gate),
                self.at(a.x, a.pre)
            ),
            Call::Backward(a) => format!(
                "{} = {}{}{}({})^T {}",
                self.at(a.out, a.pre),
                self.based(a.base, a.out),
                sign(a.scale),
                gate(a.gate),
                self.name(a.w),
                self.at(a.x, a.post)
            ),
            Call::WeightRate(a) => format!(
                "{} = {} rate {}^T {}",
                self.name(a.w_dot),
                a.factor,
                self.at(a.delta, a.post),
                self.at(a.r, a.pre)
            ),
            Call::Copy(a) => format!(
                "{}[{}..{}] = {}",
                self.name(a.dst.0),
                a.dst.1,
                a.dst.1 + a.len,
                a.src.map_or("0".into(), |(s, at)| format!("{}[{}..{}]", self.name(s), at, at + a.len))
            ),
            Call::Update(a) => format!(
                "{} += dt {}{}",
                self.name(a.p),
                a.p_dot.map_or("0", |r| self.name(r)),
                a.clip.map_or(String::new(), |c| format!(", clipped to +-{c}"))
            ),
            Call::Rates(a) => {
                format!("{} = {}({})", self.name(a.r), a.activation.name(), self.at(a.u, a.cols))
            }
            Call::CgStart(a) => format!("{:?} space, {} = J^-1 c", a.space, self.name(a.u_dot)),
            Call::CgStep(a) => {
                format!("{:?} space, {} along {}", a.space, self.name(a.u_dot), self.name(a.p))
            }
            other => self.written(other),
        }
    }

    fn written(&self, call: &Call) -> String {
        let names = |bufs: &[Buf]| bufs.iter().map(|&b| self.name(b)).collect::<Vec<_>>().join(", ");
        format!(
            "-> {}",
            match call {
                Call::Decode(a) => names(&[a.x_old, a.x_new, a.y_old, a.y_new]),
                Call::Renew(a) => names(&[a.old, a.new]),
                Call::Stimulus(a) => names(&[a.x, a.x_dot, a.y, a.y_dot]),
                Call::Slice(a) => names(&[a.x, a.x_dot, a.y, a.y_dot]),
                Call::Mismatch(a) => names(&[a.a, a.delta]),
                Call::BiasRate(a) => names(&[a.b_dot]),
                Call::Blend(a) => names(&[a.out]),
                Call::Pin(a) => names(&[a.dst]),
                Call::Gradient(a) => names(&[a.f]),
                Call::Hold(a) => names(&[a.dst]),
                Call::NewtonBook(a) => names(&[a.newton]),
                Call::NewtonCheck(a) => names(&[a.g, a.best]),
                Call::NewtonMove(a) => names(&[a.u]),
                Call::Drive(a) => names(&[a.c, a.g]),
                Call::Assemble(a) => names(&[a.c, a.u_dot]),
                Call::Bend(a) => names(&[a.d2]),
                Call::Curvature(a) => names(&[a.z]),
                Call::CgFinish(a) => names(&[a.solver]),
                Call::Unit(a) => names(&[a.m]),
                Call::Woodbury(a) => names(&[a.u_dot]),
                Call::Jacobian(a) => names(&[a.jac]),
                Call::DenseSolve(a) => names(&[a.u_dot]),
                Call::Guess(a) => names(&[a.v]),
                Call::Relax(a) => names(&[a.w]),
                Call::Combine(a) => names(&[a.u_dot]),
                Call::Integrate(a) => names(&[a.u]),
                Call::Observe(a) => names(&[a.record]),
                Call::Gram(a) => names(&[a.out]),
                Call::ResidentDrive(a) => names(&[a.out]),
                Call::ResidentLearn(a) => names(&[a.v_old, a.v_new, a.a_old, a.a_new, a.c]),
                Call::Learn(a) => names(&[a.w]),
                Call::Overlap(a) => names(&[a.out]),
                Call::RateProduct(a) => names(&[a.out]),
                Call::ResidentApply(a) => names(&[a.w]),
                Call::ApicalError(a) => names(&[a.feedback, a.apical]),
                Call::BicgStart(a) => names(&[a.u_dot, a.res, a.solver]),
                Call::BicgStep(a) => names(&[a.u_dot, a.res, a.p, a.solver]),
                Call::Couple(a) => names(&[a.c]),
                Call::Image(a) => names(&[a.out]),
                Call::Interneuron(a) => names(&[a.p, a.g, a.out, a.mismatch]),
                Call::InterneuronDrive(a) => names(&[a.m]),
                _ => String::new(),
            }
        )
    }
}
