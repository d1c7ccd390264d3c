//! HDF5, NWB and MATLAB 7.3 as recordings, from files that h5py wrote (see `tests/recordings/README.md`).
//! Without the feature `hdf5`, what is said about them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod table_support;

use lagrange_gpu::data::recording::open;
use table_support::{assert_says, file, words};

#[cfg(not(feature = "hdf5"))]
#[test]
fn without_the_reader_the_way_to_build_it_is_told() {
    for name in ["plain.h5", "session.nwb", "version73.mat"] {
        assert_says(&words(open(&file(name))), &[name, "HDF5", "cargo build --release --features hdf5"]);
    }
}

#[cfg(feature = "hdf5")]
mod with_the_reader {
    use std::path::Path;

    use lagrange_gpu::data::recording::{Hints, Store, hdf5, open_with};
    use table_support::{assert_rule, names};

    use super::*;

    #[test]
    fn chunks_and_attributes() {
        let mut recording = open(&file("plain.h5")).unwrap_or_else(|e| panic!("{e}"));
        assert_rule(&mut recording, 1.0, 0.0, 0.0);
        assert_eq!(names(&recording), ["A1", "A2", "B1", "µ4"]);
        assert_eq!((recording.format, recording.channels[0].microvolts()), ("HDF5", Some(1e3)));
        assert!(recording.notices.is_empty(), "{:?}", recording.notices);
    }

    #[test]
    fn the_only_matrix_is_found_and_the_rate_above_it() {
        let mut recording = open(&file("group.h5")).unwrap_or_else(|e| panic!("{e}"));
        assert_rule(&mut recording, 1.0, 0.0, 0.0);
        assert_eq!(names(&recording), ["ch1", "ch2", "ch3", "ch4"]);
        let hinted =
            open_with(&file("group.h5"), &Hints { rate_hz: Some(100.0) }).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(hinted.channels[0].rate_hz, 100.0);
        assert!(hinted.notices[0].contains("attribute 'sampling_rate' says 512 Hz"), "{:?}", hinted.notices);
    }

    /// conversion 2.5e-7 and offset 1e-6 of the recipe, in volts; two roundings of numbers below 1e-5.
    #[test]
    fn electrical_series_of_nwb() {
        let mut recording = open(&file("session.nwb")).unwrap_or_else(|e| panic!("{e}"));
        assert_rule(&mut recording, 2.5e-7, 1e-6, 1e-20);
        assert_eq!(names(&recording), ["A1", "A2", "B1", "µ4"]);
        assert_eq!((recording.format, recording.channels[0].microvolts()), ("NWB", Some(1e6)));
        let digital = recording.channels[1].digital.expect("16-bit integers");
        assert_eq!((digital.gain, digital.offset, digital.range), (2.5e-7, 1e-6, [-32768, 32767]));
    }

    #[test]
    fn matlab_73() {
        let mut recording = open(&file("version73.mat")).unwrap_or_else(|e| panic!("{e}"));
        assert_rule(&mut recording, 1.0, 0.0, 0.0);
        assert_eq!(recording.format, "MATLAB 7.3");
    }

    #[test]
    fn damage_is_named() {
        let bytes = std::fs::read(file("group.h5")).unwrap();
        let from =
            |bytes: Vec<u8>| words(hdf5::open(Store::in_memory(Path::new("a.h5"), bytes), &Hints::default()));
        assert_says(&from(bytes[..bytes.len() / 2].to_vec()), &["a.h5"]);
        assert_says(&from(b"\x89HDF\r\n\x1a\n".to_vec()), &["a.h5: header"]);
        assert_says(&from(Vec::new()), &["a.h5: header"]);
        // A matrix of 50 × 4 that claims 2^40 samples: its length stands as 64 bits before the 4 of the columns.
        let find: Vec<u8> = [50_u64, 4].iter().flat_map(|n| n.to_le_bytes()).collect();
        let at = bytes.windows(16).position(|w| w == find).expect("the shape");
        let mut large = bytes;
        large[at + 5] = 1;
        let said = from(large);
        assert!(said.contains("cannot be in a file") || said.contains("checksum"), "{said}");
    }
}
