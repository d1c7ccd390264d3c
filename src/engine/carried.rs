//! What carries over from one presentation to the next, taken out of an engine and put into another.

use std::sync::Arc;

use super::{Engine, EngineError};
use crate::plan::{Buf, BufferSpec, Elem, Role};

/// The content of a buffer that carries over from one presentation to the next.
#[derive(Clone, Debug, PartialEq)]
pub struct Carried {
    /// Name of the buffer.
    pub name: String,
    /// Rows and columns.
    pub shape: [usize; 2],
    /// Row-major; exactly what the device holds, whatever its precision.
    pub values: Vec<f64>,
}

impl Engine {
    /// All buffers that later work may read before it writes them: parameters, state, and what the host wrote. Not pixels and labels,
    /// which come anew with each mini-batch.
    fn carried(&self) -> Vec<Buf> {
        let carries = |spec: &BufferSpec| {
            let role = matches!(spec.role, Role::Parameter | Role::State | Role::Stimulus);
            role && spec.elem == Elem::Real && !spec.is_empty()
        };
        let specs = self.model.program.buffers.iter().enumerate();
        specs.filter(|(_, spec)| carries(spec)).map(|(i, _)| Buf(i as u16)).collect()
    }

    /// The content of all buffers that carry over from one presentation to the next.
    ///
    /// # Errors
    /// If the device is lost.
    pub fn export(&mut self) -> Result<Vec<Carried>, EngineError> {
        let model = Arc::clone(&self.model);
        self.carried()
            .into_iter()
            .map(|buf| {
                let spec = model.program.spec(buf);
                let values = self.read(buf)?;
                Ok(Carried { name: spec.name.clone(), shape: [spec.rows, spec.cols], values })
            })
            .collect()
    }

    /// Writes what [`Engine::export`] gave, on an engine of the same model; the next presentation then gives the same bits as it
    /// would have there, on the same device.
    ///
    /// # Errors
    /// If a buffer is missing or of another size, before anything is written; if the device is lost.
    pub fn import(&mut self, content: &[Carried]) -> Result<(), EngineError> {
        let mut found = Vec::new();
        for buf in self.carried() {
            let name = &self.model.program.spec(buf).name;
            let one = content.iter().find(|c| c.name == *name);
            let one = one.ok_or_else(|| EngineError::Missing(name.clone()))?;
            self.check(buf, one.values.len())?;
            found.push((buf, one));
        }
        for (buf, one) in found {
            self.write(buf, &one.values)?;
        }
        Ok(())
    }
}
