"""Makes the recordings of this folder: python make.py (numpy, scipy and h5py).

Sample t of channel c is (t mod 7)(c + 1) - 3c in all of them, which every type of number holds exactly.
"""

import h5py
import numpy as np
import scipy.io

SAMPLES, CHANNELS, RATE = 50, 4, 512.0
t, c = np.meshgrid(np.arange(SAMPLES), np.arange(CHANNELS), indexing="ij")
VALUES = (t % 7) * (c + 1) - 3 * c  # [samples, channels]
NAMES = ["A1", "A2", "B1", "µ4"]


def numpy_files():
    np.savez("stored.npz", data=VALUES.astype("<i2"), channels=np.array(NAMES), rate=RATE, units=np.array(["uV"] * CHANNELS))
    np.savez_compressed("deflated.npz", values=np.asfortranarray(VALUES.astype("<f4")), ch_names=np.array(NAMES), fs=np.int64(RATE))
    np.save("big_endian.npy", VALUES.astype(">f8"))


def matlab_files():
    cell = np.empty((1, CHANNELS), dtype=object)
    cell[0, :] = NAMES
    scipy.io.savemat("plain.mat", {"eeg": VALUES.T.astype("f8"), "srate": RATE, "labels": cell}, do_compression=False)
    scipy.io.savemat("compressed.mat", {"recording": VALUES.astype("i2"), "fs": RATE, "channels": np.array(["A1", "A2", "B1", "C4"])}, do_compression=True)
    scipy.io.savemat("version4.mat", {"x": VALUES.astype("f8")}, format="4")


def hdf5_files():
    with h5py.File("plain.h5", "w") as f:
        d = f.create_dataset("data", data=VALUES.astype("<f4"), chunks=(16, 2), compression="gzip", shuffle=True)
        d.attrs["rate"] = RATE
        d.attrs["channels"] = NAMES
        d.attrs["unit"] = "mV"
    with h5py.File("group.h5", "w", libver="latest") as f:
        g = f.create_group("session/probe")
        g.create_dataset("trace", data=VALUES.astype(">i2"))
        f.attrs["sampling_rate"] = np.int32(RATE)
    with h5py.File("session.nwb", "w") as f:
        f.attrs["neurodata_type"] = "NWBFile"
        f.attrs["nwb_version"] = "2.6.0"
        s = f.create_group("acquisition/ElectricalSeries")
        s.attrs["neurodata_type"] = "ElectricalSeries"
        s.attrs["namespace"] = "core"
        d = s.create_dataset("data", data=VALUES.astype("<i2"), chunks=(20, 4), compression="gzip", maxshape=(None, 4))
        d.attrs["conversion"] = 2.5e-7
        d.attrs["offset"] = 1e-6
        d.attrs["unit"] = "volts"
        start = s.create_dataset("starting_time", data=0.5)
        start.attrs["rate"] = RATE
        start.attrs["unit"] = "seconds"
        rows = s.create_dataset("electrodes", data=np.array([3, 2, 1, 0]))
        table = f.create_group("general/extracellular_ephys/electrodes")
        table.create_dataset("label", data=NAMES[::-1], dtype=h5py.string_dtype())
    # MATLAB 7.3: a block of 512 bytes before the file, axes in reverse order, texts as 16-bit numbers.
    with h5py.File("version73.mat", "w", userblock_size=512) as f:
        d = f.create_dataset("eeg", data=VALUES.astype("f8"))  # MATLAB shows it as channels x samples
        d.attrs["MATLAB_class"] = np.bytes_("double")
        s = f.create_dataset("srate", data=np.array([[RATE]]))
        s.attrs["MATLAB_class"] = np.bytes_("double")
    with open("version73.mat", "r+b") as f:
        f.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")


numpy_files()
matlab_files()
hdf5_files()
