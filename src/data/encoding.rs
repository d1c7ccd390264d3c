//! How pixels and labels become voltages and targets.

/// What a pixel `v = byte / 255` and a label (1 for the true class, 0 for the others) are turned into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// As they are: 0 to 1.
    #[default]
    Unit,
    /// `ln(p / (1 − p))` with `p = 0.9 (v + 0.1) / 1.1`: voltages at which the logistic function gives p, which keeps
    /// clear of 0 and 1.
    Logit,
}

impl Encoding {
    /// Both, with the names they have in files.
    pub const NAMES: [(&'static str, Encoding); 2] = [("unit", Encoding::Unit), ("logit", Encoding::Logit)];

    /// The value (dimensionless voltage) of each byte 0 to 255 of an image.
    #[must_use]
    pub fn pixel_table(self) -> [f64; 256] {
        let mut table = [0.0; 256];
        for (byte, value) in (0_u8..=255).zip(&mut table) {
            *value = self.value(f64::from(byte) / 255.0);
        }
        table
    }

    /// The target (dimensionless voltage) of a wrong class (entry 0) and of the true class (entry 1).
    #[must_use]
    pub fn label_table(self) -> [f64; 2] {
        [self.value(0.0), self.value(1.0)]
    }

    /// The value (dimensionless voltage) of a brightness `v`, 0 to 1 (byte / 255).
    #[must_use]
    pub fn value(self, v: f64) -> f64 {
        match self {
            Encoding::Unit => v,
            Encoding::Logit => {
                let p = 0.9 * (v + 0.1) / 1.1;
                (p / (1.0 - p)).ln()
            }
        }
    }
}
