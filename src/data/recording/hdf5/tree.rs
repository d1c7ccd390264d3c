//! Groups and data sets of a file, and what stands around one of them.

use hdf5_reader::error::Error;
use hdf5_reader::group::Group;
use hdf5_reader::{Attribute, Dataset};

use super::{labels, source};

/// Depth of groups, and number of objects that are looked at: links may go round in circles.
const DEPTH: usize = 8;
const OBJECTS: usize = 4096;

/// A group and where it lies.
pub struct Node {
    pub path: String,
    pub group: Group,
    /// The group above; the root's own place for the root.
    above: usize,
}

/// A data set and where it lies.
pub struct Found {
    pub data: Dataset,
    /// Place of its group among the groups.
    pub within: usize,
    folder: String,
}

impl Found {
    pub fn path(&self) -> String {
        format!("{}{}", self.folder, self.data.name())
    }
}

/// All groups and data sets.
pub struct Tree {
    pub groups: Vec<Node>,
    pub datasets: Vec<Found>,
}

impl Tree {
    /// Lists what is below the root.
    ///
    /// # Errors
    /// If a group cannot be read.
    pub fn read(root: Group) -> Result<Self, (String, Error)> {
        let mut tree =
            Self { groups: vec![Node { path: "/".into(), group: root, above: 0 }], datasets: Vec::new() };
        let mut at = 0;
        while let Some(node) = tree.groups.get(at) {
            let path = node.path.clone();
            // Objects that this program has no use for may be of kinds that the reader does not know.
            let (groups, datasets) = node.group.members().map_err(|e| (path.clone(), e))?;
            let deep = path.matches('/').count() > DEPTH;
            let full = tree.groups.len() + tree.datasets.len() + groups.len() + datasets.len() > OBJECTS;
            if full {
                let what = format!("more than {OBJECTS} groups and data sets");
                return Err((path, Error::InvalidData(what)));
            }
            let folder = |data| Found { data, within: at, folder: path.clone() };
            tree.datasets.extend(datasets.into_iter().map(folder));
            if !deep {
                let below =
                    |group: Group| Node { path: format!("{path}{}/", group.name()), group, above: at };
                tree.groups.extend(groups.into_iter().map(below));
            }
            at += 1;
        }
        Ok(tree)
    }

    /// Places of the groups from the one of a data set up to the root.
    fn upwards(&self, found: &Found) -> Vec<usize> {
        let mut places = vec![found.within];
        while let Some(&last) = places.last().filter(|&&last| last != 0) {
            places.push(self.groups.get(last).map_or(0, |node| node.above));
        }
        places
    }

    /// An attribute of the data set or of a group above it, by one of its names.
    fn attribute(&self, found: &Found, list: &[&str]) -> Option<(String, Attribute)> {
        let own = best(list, found.data.attributes())
            .map(|a| (format!("{}, attribute '{}'", found.path(), a.name), a));
        own.or_else(|| {
            self.upwards(found).into_iter().find_map(|at| {
                let node = self.groups.get(at)?;
                let attribute = best(list, node.group.attributes().ok()?)?;
                Some((format!("{}, attribute '{}'", node.path, attribute.name), attribute))
            })
        })
    }

    /// A data set beside the one given, or in a group above it.
    fn beside(&self, found: &Found, list: &[&str]) -> Option<&Found> {
        self.upwards(found).into_iter().find_map(|at| {
            let here = self.datasets.iter().filter(|other| other.within == at);
            here.filter_map(|other| Some((labels::rank(list, other.data.name())?, other)))
                .min_by_key(|(rank, _)| *rank)
                .map(|(_, other)| other)
        })
    }

    /// A number around a data set, and where it stands.
    pub fn number(&self, found: &Found, list: &[&str]) -> Option<(String, f64)> {
        if let Some((place, attribute)) = self.attribute(found, list)
            && let Ok(value) = attribute.read_as_f64()
        {
            return Some((place, value));
        }
        let other = self.beside(found, list)?;
        let value = source::first(&other.data)?;
        Some((other.path(), value))
    }

    /// Texts around a data set, and where they stand.
    pub fn texts(&self, found: &Found, list: &[&str]) -> Option<(String, Vec<String>)> {
        if let Some((place, attribute)) = self.attribute(found, list)
            && let Ok(texts) = attribute.read_strings()
        {
            return Some((place, texts));
        }
        let other = self.beside(found, list)?;
        Some((other.path(), other.data.read_strings().ok()?))
    }

    /// The data set of a name in a group.
    pub fn child(&self, within: usize, name: &str) -> Option<&Found> {
        self.datasets.iter().find(|found| found.within == within && found.data.name() == name)
    }
}

/// The attribute whose name stands first in a list.
fn best(list: &[&str], attributes: Vec<Attribute>) -> Option<Attribute> {
    let ranked = attributes.into_iter().filter_map(|a| Some((labels::rank(list, &a.name)?, a)));
    ranked.min_by_key(|(rank, _)| *rank).map(|(_, attribute)| attribute)
}
