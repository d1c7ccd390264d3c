"""Makes the embedded recording from its source; ../LICENSES.md says where that comes from.

    pip download --no-binary :all: --no-deps mne-hfo==0.2
    sha256sum mne-hfo-0.2.tar.gz    # 4f48854c43456f9383a386f8efda292b49801a89c2c4592ffdd126830de65a61
    tar xzf mne-hfo-0.2.tar.gz
    python3 make.py mne-hfo-0.2/data/sub-01/ses-interictalsleep/ieeg OUT

Needs NumPy and SciPy (made with 2.4 and 1.17). Steps: float32 x 0.1 = uV (the resolution of the header); 250 samples
more at each end by point reflection; 2000 -> 512 Hz (x 32 / 125) by a linear-phase FIR low-pass at 64 kHz (Kaiser
window, 80 dB, pass band to 200 Hz, stop band from 256 Hz); the middle 2560 samples; per channel a resolution of
largest magnitude / 32700 (no sample looks clipped), written with 8 digits; rounding to the nearest integer.
"""

import hashlib
import pathlib
import sys

import numpy as np
from scipy import signal

NAME = "sub-01_ses-interictalsleep_run-01"
SOURCE = "8304922b8f53810a5a74e5e0690119aa3f5d401bc90b1290e8c7fbe591fbdaee"
UP, DOWN, MARGIN = 32, 125, 250


def source(folder):
    raw = (folder / f"{NAME}_ieeg.eeg").read_bytes()
    assert hashlib.sha256(raw).hexdigest() == SOURCE, "another source file"
    header = (folder / f"{NAME}_ieeg.vhdr").read_text(encoding="utf-8").splitlines()
    names = [line.split("=")[1].split(",")[0] for line in header if line.startswith("Ch")]
    values = np.frombuffer(raw, "<f4").reshape(-1, len(names)).astype(np.float64) * 0.1
    assert values.shape == (10000, 50)
    # The facts of the source, to the printed digits.
    assert f"{values[:, 0].mean():.4f} {values[:, 0].std():.4f}" == "-18.3746 125.3381"
    return names, values


def resample(values):
    rate = 2000 * UP
    taps, beta = signal.kaiserord(80, (256 - 200) / (rate / 2))
    taps |= 1
    window = signal.firwin(taps, (200 + 256) / 2, window=("kaiser", beta), fs=rate)
    before = 2 * values[0] - values[MARGIN:0:-1]
    after = 2 * values[-1] - values[-2 : -MARGIN - 2 : -1]
    extended = np.concatenate([before, values, after])
    whole = signal.resample_poly(extended, UP, DOWN, axis=0, window=window)
    cut = MARGIN * UP // DOWN
    return whole[cut : cut + len(values) * UP // DOWN]


def main(folder, out):
    names, values = source(folder)
    resampled = resample(values)
    assert resampled.shape == (2560, 50)
    resolution = [f"{np.abs(column).max() / 32700:.7e}" for column in resampled.T]
    integers = np.rint(resampled / np.array([float(r) for r in resolution]))
    assert np.abs(integers).max() <= 32767
    (out / "sub-01_ieeg.eeg").write_bytes(integers.astype("<i2").tobytes())
    header = [
        "Brain Vision Data Exchange Header File Version 1.0",
        "; Fedele et al., Sci Rep 7:13836, 2017; OpenNeuro ds003498, CC0; resampled from 2000 to 512 Hz",
        "",
        "[Common Infos]",
        "Codepage=UTF-8",
        "DataFile=$b.eeg",
        "DataFormat=BINARY",
        "DataOrientation=MULTIPLEXED",
        f"NumberOfChannels={len(names)}",
        "DataPoints=2560",
        "SamplingInterval=1953.125",
        "",
        "[Binary Infos]",
        "BinaryFormat=INT_16",
        "",
        "[Channel Infos]",
        *(f"Ch{i}={name},,{r},µV" for i, (name, r) in enumerate(zip(names, resolution), 1)),
    ]
    (out / "sub-01_ieeg.vhdr").write_text("\n".join(header) + "\n", encoding="utf-8")
    rows = ["name\ttype\tunits\tlow_cutoff\thigh_cutoff\tsampling_frequency\tstatus"]
    rows += [f"{name}\tSEEG\tµV\tn/a\t228\t512\tgood" for name in names]
    (out / "sub-01_channels.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    error = np.abs(integers * np.array([float(r) for r in resolution]) - resampled).max()
    print(f"largest rounding error {error:.4f} uV")
    print(f"{names[0]}: mean {resampled[:, 0].mean():.4f} uV, sd {resampled[:, 0].std():.4f} uV")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
