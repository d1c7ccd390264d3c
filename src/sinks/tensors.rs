//! Files of tensors.

use std::collections::{BTreeMap, HashMap};

use safetensors::SafeTensorError;
use safetensors::tensor::TensorView;

/// A safetensors file whose header is in alphabetical order: the encoder's own order of metadata is another in every process, and equal
/// content should make equal files.
///
/// # Errors
/// What the encoder says.
pub(crate) fn encode_tensors(
    tensors: Vec<(&str, TensorView<'_>)>,
    metadata: HashMap<String, String>,
) -> Result<Vec<u8>, SafeTensorError> {
    let bytes = safetensors::serialize(tensors, Some(metadata))?;
    let (length, rest) = bytes.split_first_chunk().ok_or(SafeTensorError::HeaderTooSmall)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
    let (header, data) = rest.split_at_checked(length).ok_or(SafeTensorError::InvalidHeaderLength)?;
    let header: BTreeMap<String, serde_json::Value> = serde_json::from_slice(header)?;
    let mut header = serde_json::to_vec(&header)?;
    // The data begin at a multiple of eight bytes.
    header.resize(header.len().next_multiple_of(8), b' ');
    Ok([&(header.len() as u64).to_le_bytes()[..], &header, data].concat())
}
