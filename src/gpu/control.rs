//! Control values of a step as the shaders read them.

use crate::plan::StepControl;

/// Control values of a step, as `shaders/shared/common.wgsl` reads them.
#[repr(C)]
#[derive(Clone, Copy, Debug, bytemuck::Pod, bytemuck::Zeroable)]
pub struct Control {
    pub ramp: f32,
    pub ramp_prev: f32,
    pub row: u32,
    pub beta_row: u32,
    pub index: u32,
    pub rate_w: f32,
    pub rate_b: f32,
    pub rate_ip: f32,
    pub rate_pi: f32,
    pub rate_feedback: f32,
    pub rate_bi: f32,
    /// Of whole steps: the slot that these values are in.
    pub slot: u32,
    /// Steps of a dispatch.
    pub steps: u32,
    /// Solver iterations of a step.
    pub iterations: u32,
}

impl From<&StepControl> for Control {
    fn from(step: &StepControl) -> Self {
        Self {
            ramp: step.ramp as f32,
            ramp_prev: step.ramp_prev as f32,
            row: step.row,
            beta_row: step.beta_row,
            index: step.index,
            rate_w: step.rate_w as f32,
            rate_b: step.rate_b as f32,
            rate_ip: step.rate_ip as f32,
            rate_pi: step.rate_pi as f32,
            rate_feedback: step.rate_feedback as f32,
            rate_bi: step.rate_bi as f32,
            slot: 0,
            steps: 0,
            iterations: 0,
        }
    }
}

#[cfg(test)]
#[allow(clippy::expect_used, clippy::panic)]
mod tests {
    use std::mem::offset_of;

    use super::*;
    use crate::gpu::shaders::Variant;
    use crate::kernels::host::Profile;

    /// Field by field against naga's view of the shader: swapped fields have the same size.
    #[test]
    fn control_values_have_the_layout_of_the_shaders() {
        let variant =
            Variant { kernel: "copy", profile: Profile::Software, gated: false, early: false, wide: false };
        let module = naga::front::wgsl::parse_str(&variant.source()).expect("valid");
        let ty = module.types.iter().find(|(_, t)| t.name.as_deref() == Some("Control")).expect("there").1;
        let naga::TypeInner::Struct { members, span } = &ty.inner else { panic!("a struct") };
        let real = naga::Scalar::F32;
        let word = naga::Scalar::U32;
        let want = [
            ("ramp", offset_of!(Control, ramp), real),
            ("ramp_prev", offset_of!(Control, ramp_prev), real),
            ("row", offset_of!(Control, row), word),
            ("beta_row", offset_of!(Control, beta_row), word),
            ("index", offset_of!(Control, index), word),
            ("rate_w", offset_of!(Control, rate_w), real),
            ("rate_b", offset_of!(Control, rate_b), real),
            ("rate_ip", offset_of!(Control, rate_ip), real),
            ("rate_pi", offset_of!(Control, rate_pi), real),
            ("rate_feedback", offset_of!(Control, rate_feedback), real),
            ("rate_bi", offset_of!(Control, rate_bi), real),
            ("slot", offset_of!(Control, slot), word),
            ("steps", offset_of!(Control, steps), word),
            ("iterations", offset_of!(Control, iterations), word),
        ];
        assert_eq!((members.len(), *span as usize), (want.len(), size_of::<Control>()));
        for (member, (name, offset, scalar)) in members.iter().zip(want) {
            assert_eq!((member.name.as_deref(), member.offset as usize), (Some(name), offset));
            assert_eq!(module.types[member.ty].inner, naga::TypeInner::Scalar(scalar), "{name}");
        }
    }
}
