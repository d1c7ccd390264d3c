//! Folders of PNG pictures, one sub-folder a class.

use std::fs;
use std::path::{Path, PathBuf};

use image::{ColorType, ImageFormat, ImageReader};

use super::ArrayError;

/// Pixels that a picture may have: more than any network has inputs.
const MOST_PIXELS: u32 = 1 << 16;

/// Pictures of one folder, sample by sample.
#[derive(Debug)]
pub(super) struct Pictures {
    /// `[samples, rows, columns]`, or `[samples, rows, columns, 3]` in colour.
    pub bytes: Vec<u8>,
    /// `[samples]`: the place of the sub-folder in `classes`.
    pub labels: Vec<u8>,
    /// Names of the sub-folders, sorted.
    pub classes: Vec<String>,
    /// Rows, columns, and 3 in colour.
    pub shape: Vec<usize>,
}

/// The picture that fixes the size of all.
type First = Option<(PathBuf, [usize; 2])>;

impl Pictures {
    /// Reads all pictures of `folder`; `like`: of one size and with the same classes. Classes take turns, so that the first samples are not all of one
    /// class.
    pub(super) fn read(folder: &Path, colour: bool, like: Option<&Self>) -> Result<Self, ArrayError> {
        let classes = classes(folder)?;
        if let Some(like) = like.filter(|like| like.classes != classes) {
            let (here, there) = (classes.join(", "), like.classes.join(", "));
            let what =
                format!("its classes (sub-folders) are {here}, those of the training pictures {there}");
            return Err(ArrayError::Folder { path: folder.into(), what });
        }
        let files = classes.iter().map(|name| pictures(&folder.join(name))).collect::<Result<Vec<_>, _>>()?;
        let most = files.iter().map(Vec::len).max().unwrap_or(0);
        let mut all = Self { bytes: Vec::new(), labels: Vec::new(), classes, shape: Vec::new() };
        let mut first: First = like.map(|l| ("the first training picture".into(), [l.shape[0], l.shape[1]]));
        for turn in 0..most {
            for (label, files) in (0_u8..=255).zip(&files) {
                let Some(path) = files.get(turn) else { continue };
                all.add(path, colour, &mut first)?;
                all.labels.push(label);
            }
        }
        let [rows, columns] = first.map_or([0; 2], |(_, size)| size);
        all.shape = if colour { vec![rows, columns, 3] } else { vec![rows, columns] };
        Ok(all)
    }

    fn add(&mut self, path: &Path, colour: bool, first: &mut First) -> Result<(), ArrayError> {
        let (size, bytes) = picture(path, colour)?;
        let (name, want) = first.get_or_insert_with(|| (path.into(), size));
        if *want != size {
            let (first, want) = (name.clone(), *want);
            return Err(ArrayError::Size { path: path.into(), found: size, first, want });
        }
        self.bytes.extend(bytes);
        Ok(())
    }
}

/// Entries of a folder by name, without hidden ones.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, ArrayError> {
    let failed = |source| ArrayError::Open { path: folder.into(), source };
    let all = fs::read_dir(folder).map_err(failed)?.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    let hidden = |p: &PathBuf| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
    let mut paths: Vec<_> = all.into_iter().map(|e| e.path()).filter(|p| !hidden(p)).collect();
    paths.sort_unstable();
    Ok(paths)
}

/// Names of the sub-folders, sorted; at least one, at most 256.
fn classes(folder: &Path) -> Result<Vec<String>, ArrayError> {
    let name = |p: PathBuf| p.file_name().map(|name| name.to_string_lossy().into_owned());
    let names: Vec<_> = entries(folder)?.into_iter().filter(|p| p.is_dir()).filter_map(name).collect();
    let what = match names.len() {
        1..=256 => return Ok(names),
        0 => "holds no sub-folders; there has to be one for each class, with its pictures".to_owned(),
        n => format!("holds {n} sub-folders; there may be 256 classes"),
    };
    Err(ArrayError::Folder { path: folder.into(), what })
}

/// The PNG files of a class, sorted by name; at least one.
pub(super) fn pictures(folder: &Path) -> Result<Vec<PathBuf>, ArrayError> {
    let png = |p: &PathBuf| p.extension().is_some_and(|e| e.eq_ignore_ascii_case("png"));
    let files: Vec<_> = entries(folder)?.into_iter().filter(png).collect();
    if files.is_empty() {
        let what = "holds no .png file; every class needs at least one".to_owned();
        return Err(ArrayError::Folder { path: folder.into(), what });
    }
    Ok(files)
}

/// Rows and columns of a picture, and its bytes, grey or red, green, blue. Transparency is left out; 16 bits become 8.
pub(super) fn picture(path: &Path, colour: bool) -> Result<([usize; 2], Vec<u8>), ArrayError> {
    let open = |source| ArrayError::Open { path: path.into(), source };
    let mut reader = ImageReader::open(path).map_err(open)?;
    reader.set_format(ImageFormat::Png);
    let mut limits = image::Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(MOST_PIXELS), Some(MOST_PIXELS));
    reader.limits(limits);
    let wrong =
        |error: image::ImageError| ArrayError::Picture { path: path.into(), reason: error.to_string() };
    let picture = reader.decode().map_err(wrong)?;
    let size = [picture.height() as usize, picture.width() as usize];
    let bytes = if colour {
        picture.into_rgb8().into_raw()
    } else if picture.color() == ColorType::L8 {
        picture.into_bytes()
    } else {
        picture.into_luma8().into_raw()
    };
    Ok((size, bytes))
}
