//! Arrays and pictures as files.
#![allow(dead_code)] // Each test file uses its own part.
#![allow(clippy::unwrap_used, missing_docs)] // A test fails by panicking.

use std::path::{Path, PathBuf};

/// A `.npy` of version 1: NumPy's word for the elements, their order, the shape, and their bytes.
pub fn npy(descr: &str, fortran: bool, shape: &[usize], data: &[u8]) -> Vec<u8> {
    let shape: String = shape.iter().map(|n| format!("{n}, ")).collect();
    let fortran = if fortran { "True" } else { "False" };
    let mut head = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': ({shape}), }}");
    while !(head.len() + 11).is_multiple_of(64) {
        head.push(' ');
    }
    head.push('\n');
    let length = (head.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], head.as_bytes(), data].concat()
}

pub fn singles(shape: &[usize], values: &[f32]) -> Vec<u8> {
    npy("<f4", false, shape, &values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>())
}

pub fn doubles(shape: &[usize], values: &[f64]) -> Vec<u8> {
    npy("<f8", false, shape, &values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>())
}

pub fn longs(values: &[i64]) -> Vec<u8> {
    let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    npy("<i8", false, &[values.len()], &bytes)
}

pub fn bytes(shape: &[usize], values: &[u8]) -> Vec<u8> {
    npy("|u1", false, shape, values)
}

/// Writes a file, with the folders that it needs.
pub fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, content).unwrap();
    path
}

/// Writes a grey PNG of `columns` wide rows.
pub fn grey(folder: &Path, name: &str, columns: u32, pixels: &[u8]) -> PathBuf {
    let path = write(folder, name, []);
    let rows = pixels.len() as u32 / columns;
    image::GrayImage::from_raw(columns, rows, pixels.to_vec()).unwrap().save(&path).unwrap();
    path
}
