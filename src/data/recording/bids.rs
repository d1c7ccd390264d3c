//! Recordings in the order of BIDS-iEEG: a folder of data files, and sidecars beside them that tell types, units and bad channels.
//!
//! Names and columns follow the Brain Imaging Data Structure 1.10, "Intracranial electroencephalography".

mod channels;

pub use channels::apply;
