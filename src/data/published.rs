//! Published sets: which files they are made of, how these are recognised, and where they come from. MNIST and Fashion-MNIST
//! have the same format.

/// A file of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublishedFile {
    /// Official name, without `.gz`.
    pub name: &'static str,
    /// Size of the content, uncompressed.
    pub bytes: u64,
    /// SHA-256 of the content, uncompressed, in lower-case hexadecimal digits.
    pub sha256: &'static str,
}

/// A set: four IDX files with known content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// Name in experiments, on the command line, and of the folder.
    pub name: &'static str,
    /// Name for people.
    pub title: &'static str,
    /// Pixels of an image.
    pub pixels: usize,
    /// Classes.
    pub classes: usize,
    /// Training images and labels, test images and labels.
    pub files: [PublishedFile; 4],
    /// Folders on the network that hold the files under their names with `.gz`, in the order in which they are asked; each
    /// ends with `/`.
    pub mirrors: &'static [&'static str],
}

/// A set that the program knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublishedSet {
    /// The handwritten digits of LeCun and Cortes: 60,000 for training, 10,000 for the test.
    Mnist,
    /// Articles of clothing (Xiao, Rasul & Vollgraf, arXiv:1708.07747), in the format of MNIST.
    FashionMnist,
}

impl PublishedSet {
    /// All of them, with the names they have in files.
    pub const NAMES: [(&'static str, Self); 2] =
        [(MNIST.name, Self::Mnist), (FASHION_MNIST.name, Self::FashionMnist)];

    /// What it is made of.
    #[must_use]
    pub fn about(self) -> &'static Published {
        match self {
            Self::Mnist => &MNIST,
            Self::FashionMnist => &FASHION_MNIST,
        }
    }
}

const TRAIN_IMAGES: &str = "train-images-idx3-ubyte";
const TRAIN_LABELS: &str = "train-labels-idx1-ubyte";
const TEST_IMAGES: &str = "t10k-images-idx3-ubyte";
const TEST_LABELS: &str = "t10k-labels-idx1-ubyte";

/// The official files of MNIST, as their first publisher had them.
static MNIST: Published = Published {
    name: "mnist",
    title: "MNIST",
    pixels: 28 * 28,
    classes: 10,
    files: [
        PublishedFile {
            name: TRAIN_IMAGES,
            bytes: 47_040_016,
            sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        },
        PublishedFile {
            name: TRAIN_LABELS,
            bytes: 60_008,
            sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        },
        PublishedFile {
            name: TEST_IMAGES,
            bytes: 7_840_016,
            sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        },
        PublishedFile {
            name: TEST_LABELS,
            bytes: 10_008,
            sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        },
    ],
    mirrors: &[
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ],
};

/// The files of Fashion-MNIST. Their gzip files have the MD5 sums that the authors publish.
static FASHION_MNIST: Published = Published {
    name: "fashion-mnist",
    title: "Fashion-MNIST",
    pixels: 28 * 28,
    classes: 10,
    files: [
        PublishedFile {
            name: TRAIN_IMAGES,
            bytes: 47_040_016,
            sha256: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        },
        PublishedFile {
            name: TRAIN_LABELS,
            bytes: 60_008,
            sha256: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        },
        PublishedFile {
            name: TEST_IMAGES,
            bytes: 7_840_016,
            sha256: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        },
        PublishedFile {
            name: TEST_LABELS,
            bytes: 10_008,
            sha256: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        },
    ],
    mirrors: &[
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ],
};
