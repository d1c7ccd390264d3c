//! Images with labels, in memory once and shared by whoever reads them.

use std::sync::Arc;

use super::DataError;

/// Images with labels. At least one; every label is below the number of classes. A clone shares the memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Samples {
    // Not `Arc<[u8]>`, which would copy a whole set to put it there.
    images: Arc<Vec<u8>>,
    labels: Arc<Vec<u8>>,
    pixels: usize,
    classes: usize,
}

impl Samples {
    /// Samples from `images` `[samples, pixels]` row-major, 0 to 255, and one label each.
    ///
    /// # Errors
    /// If the lengths do not fit, there is no sample, or a label is not below `classes`.
    pub fn new(images: Vec<u8>, labels: Vec<u8>, pixels: usize, classes: usize) -> Result<Self, DataError> {
        Self::named(images, labels, pixels, classes, ["the images", "the labels"])
    }

    /// As [`Samples::new`]; `from` names where images and labels came from, for errors.
    pub(super) fn named(
        images: Vec<u8>,
        labels: Vec<u8>,
        pixels: usize,
        classes: usize,
        from: [&str; 2],
    ) -> Result<Self, DataError> {
        let [images_from, labels_from] = from.map(str::to_owned);
        if pixels == 0 || !images.len().is_multiple_of(pixels) {
            return Err(DataError::Shape { from: images_from, pixels: images.len(), each: pixels });
        }
        let count = images.len() / pixels;
        if count != labels.len() {
            return Err(DataError::Count { images_from, images: count, labels_from, labels: labels.len() });
        }
        if count == 0 || u32::try_from(count).is_err() {
            return Err(DataError::Samples { from: images_from, samples: count });
        }
        if let Some(index) = labels.iter().position(|&label| usize::from(label) >= classes) {
            return Err(DataError::Label { from: labels_from, index, label: labels[index], classes });
        }
        Ok(Self { images: Arc::new(images), labels: Arc::new(labels), pixels, classes })
    }

    /// Number of samples, at least 1.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Pixels of an image.
    #[must_use]
    pub fn pixels(&self) -> usize {
        self.pixels
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// All images, `[samples, pixels]` row-major, 0 to 255.
    #[must_use]
    pub fn images(&self) -> &[u8] {
        &self.images
    }

    /// All labels, `[samples]`.
    #[must_use]
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// Image `i`, `[pixels]`; empty past the end.
    #[must_use]
    pub fn image(&self, i: usize) -> &[u8] {
        self.images.chunks_exact(self.pixels).nth(i).unwrap_or_default()
    }

    /// The samples at `indices`, in that order; an index past the end is left out.
    pub(super) fn select(&self, indices: impl ExactSizeIterator<Item = usize>) -> Self {
        let most = indices.len().min(self.len());
        let mut images = Vec::with_capacity(most * self.pixels);
        let mut labels = Vec::with_capacity(most);
        for i in indices {
            if let Some(&label) = self.labels.get(i) {
                images.extend_from_slice(self.image(i));
                labels.push(label);
            }
        }
        Self { images: Arc::new(images), labels: Arc::new(labels), ..*self }
    }
}
