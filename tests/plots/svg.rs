//! What the tests read from an SVG.

/// An element: its name and attributes.
#[derive(Clone, Debug)]
pub struct Element {
    pub name: String,
    attributes: Vec<(String, String)>,
}

impl Element {
    pub fn get(&self, key: &str) -> &str {
        self.attributes.iter().find(|(name, _)| name == key).map_or("", |(_, value)| value)
    }

    pub fn number(&self, key: &str) -> f64 {
        self.get(key).parse().unwrap_or_else(|_| panic!("{key} of {self:?}"))
    }

    /// The points of a polyline or polygon, in raster units.
    pub fn points(&self) -> Vec<(i32, i32)> {
        let pair = |text: &str| {
            let (x, y) = text.split_once(',').unwrap();
            (x.parse().unwrap(), y.parse().unwrap())
        };
        self.get("points").split_whitespace().map(pair).collect()
    }
}

/// All elements in order, without the texts.
pub fn elements(svg: &str) -> Vec<Element> {
    let open = |tag: &str| {
        let tag = tag.split('>').next().unwrap().trim_end_matches('/');
        let (name, rest) = tag.split_once(' ').unwrap_or((tag, ""));
        let mut attributes = Vec::new();
        let mut parts = rest.split('"');
        while let (Some(key), Some(value)) = (parts.next(), parts.next()) {
            attributes.push((key.trim().trim_end_matches('=').to_owned(), value.to_owned()));
        }
        Element { name: name.to_owned(), attributes }
    };
    svg.split('<').skip(1).filter(|tag| !tag.starts_with('/')).map(open).collect()
}

/// Elements of a name whose `key` is `value`.
pub fn those(svg: &str, name: &str, key: &str, value: &str) -> Vec<Element> {
    elements(svg).into_iter().filter(|e| e.name == name && e.get(key) == value).collect()
}

/// All texts in order.
pub fn texts(svg: &str) -> Vec<String> {
    let inner = |part: &str| part.split_once('>').unwrap().1.split('<').next().unwrap().trim().to_owned();
    svg.split("<text").skip(1).map(inner).collect()
}
