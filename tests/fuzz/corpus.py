"""Writes the small sound files that fuzzing starts from: python corpus.py (standard library only).

Files that other programs have to write are copied from ../recordings.
"""

import gzip
import io
import pathlib
import shutil
import struct
import zipfile

HERE = pathlib.Path(__file__).parent
CORPUS = HERE / "corpus"
RECORDINGS = HERE.parent / "recordings"


def put(target, name, data):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())


def edf(reserved, labels, samples, records, duration, width=2):
    """European Data Format: Kemp et al. 1992; BDF has three bytes a sample and another first field."""
    n = len(labels)
    field = lambda text, size: str(text).ljust(size).encode()[:size]
    low, high = -(1 << (8 * width - 1)), (1 << (8 * width - 1)) - 1
    head = (field("0", 8) if width == 2 else b"\xffBIOSEMI") + field("X X X X", 80) + field("Startdate X X X X", 80)
    head += field("01.01.24", 8) + field("12.00.00", 8) + field(256 * (n + 1), 8) + field(reserved, 44)
    head += field(records, 8) + field(duration, 8) + field(n, 4)
    for values, size in [(labels, 16), ([""] * n, 80), (["uV"] * n, 8), ([-3200] * n, 8), ([3200] * n, 8), ([low] * n, 8), ([high] * n, 8), (["HP:0.1Hz"] * n, 80), (samples, 8), ([""] * n, 32)]:
        head += b"".join(field(v, size) for v in values)
    for record in range(records):
        for label, count in zip(labels, samples):
            if "Annotations" in label:
                head += f"+{record * duration}\x14\x14\0".encode().ljust(count * width, b"\0")
            else:
                head += b"".join((i * 37 % 1000 - 500).to_bytes(width, "little", signed=True) for i in range(count))
    return head


def brainvision():
    def header(form, orientation, points):
        names = "".join(f"Ch{i + 1}=E{i + 1}{chr(92)}1x,,0.5,µV\n" for i in range(3))
        return (
            "Brain Vision Data Exchange Header File Version 1.0\n\n[Common Infos]\nCodepage=UTF-8\nDataFile=a.eeg\nMarkerFile=a.vmrk\nDataFormat=BINARY\n"
            f"DataOrientation={orientation}\nNumberOfChannels=3\nDataPoints={points}\nSamplingInterval=1953.125\n\n[Binary Infos]\nBinaryFormat={form}\n\n[Channel Infos]\n{names}"
        )

    values = [i * 37 % 1000 - 500 for i in range(60)]
    for form, code in [("INT_16", "h"), ("INT_32", "i"), ("IEEE_FLOAT_32", "f")]:
        for orientation in ["MULTIPLEXED", "VECTORIZED"]:
            data = struct.pack(f"<60{code}", *values)
            put("brainvision", f"{form}_{orientation}".lower(), header(form, orientation, 20).encode() + b"\0" + data)


def npy(descr, fortran, shape, data):
    text = f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(text)) + text.encode() + data


def main():
    put("edf", "edf", edf("", ["A1", "A2"], [16, 16], 3, 1))
    put("edf", "plus", edf("EDF+C", ["A1", "B1", "EDF Annotations"], [20, 10, 20], 4, 0.23814))
    put("edf", "gaps", edf("EDF+D", ["A1", "EDF Annotations"], [20, 20], 4, 1))
    put("edf", "bdf", edf("24BIT", ["A1", "Status"], [16, 16], 2, 1, width=3))
    brainvision()
    put("bids_tsv", "plain", "name\ttype\tunits\tsampling_frequency\tstatus\nE1,x\tSEEG\tuV\t512\tgood\nE2,x\tECOG\tV\tn/a\tbad\nE3,x\tn/a\tmV\t512\tn/a\n")
    put("bids_tsv", "mark", "\ufeffname\tstatus\r\nE1,x\tbad\r\n")
    put("bids_json", "plain", '{"SamplingFrequency": 512, "PowerLineFrequency": 50, "iEEGReference": "n/a"}')
    put("npy", "rows", npy("<f4", False, "(25, 3)", struct.pack("<75f", *range(75))))
    put("npy", "columns", npy(">i2", True, "(25, 3)", struct.pack(">75h", *range(75))))
    put("npy", "one", npy("<f8", False, "(25,)", struct.pack("<25d", *range(25))))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        texts = lambda words: "".join(w.ljust(4, "\0") for w in words).encode("utf-32-le")
        for name, array in {
            "data": npy("<i2", False, "(25, 3)", struct.pack("<75h", *range(75))),
            "rate": npy("<f8", False, "()", struct.pack("<d", 512)),
            "channels": npy("<U4", False, "(3,)", texts(["A1", "A2", "B1"])),
            "units": npy("<U4", False, "(3,)", texts(["uV", "mV", ""])),
            "types": npy("<U4", False, "(3,)", texts(["SEEG", "ECOG", ""])),
            "gain": npy("<f8", False, "(3,)", struct.pack("<3d", 0.5, 1, 2)),
            "offset": npy("<f8", False, "(3,)", struct.pack("<3d", 0, -1, 7)),
            "bad": npy("|b1", False, "(3,)", bytes([0, 1, 0])),
        }.items():
            archive.writestr(zipfile.ZipInfo(name + ".npy"), array)
    put("npz", "scaled.npz", packed.getvalue())
    put("sidecar", "plain", '{"rate_hz": 512, "channels": ["A", "B", "C"], "units": ["uV", "mV", "V"]}')
    rows = "".join(f"{t / 512:.6f},{t % 7},{t % 5 - 2.5},\n" for t in range(40))
    put("table", "times.csv", "time,A1,A2 (uV),B\n" + rows)
    put("table", "semicolons.csv", "\ufeffA;\"B;b\";C\r\n" + "".join(f"{t};{-t}e-3;nan\r\n" for t in range(30)))
    put("table", "tabs.tsv", "1.5\t2\n3\t4\n")
    image = struct.pack(">4I", 2051, 2, 3, 4) + bytes(range(24))
    put("idx", "images", image)
    put("idx", "labels", struct.pack(">2I", 2049, 10) + bytes(range(10)))
    put("idx", "packed", gzip.compress(image, mtime=0))
    for target, names in {"npz": ["stored.npz", "deflated.npz"], "matlab": ["plain.mat", "compressed.mat", "version4.mat"], "hdf5": ["group.h5", "version73.mat", "plain.h5", "session.nwb"]}.items():
        (CORPUS / target).mkdir(parents=True, exist_ok=True)
        for name in names:
            shutil.copy(RECORDINGS / name, CORPUS / target / ("bad-" + name if name == "version4.mat" else name))


main()
