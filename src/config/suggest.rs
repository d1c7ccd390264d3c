//! The name that was probably meant.

/// Longer names are not compared: the effort grows with the square of their length.
const LONGEST: usize = 64;

/// The candidate closest to `name`, if it is close enough to be a slip: at most a third of its characters differ.
pub(crate) fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let name: Vec<char> = name.to_lowercase().chars().collect();
    if name.is_empty() || name.len() > LONGEST {
        return None;
    }
    candidates
        .into_iter()
        .filter(|c| c.chars().count() <= LONGEST)
        .map(|c| (distance(&name, &c.to_lowercase().chars().collect::<Vec<_>>()), c))
        .filter(|(d, c)| *d <= (name.len().max(c.chars().count()) / 3).max(1))
        .min_by_key(|(d, _)| *d)
        .map(|(_, c)| c.to_owned())
}

/// Number of characters to insert, remove, replace or swap with their neighbour.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut rows = [vec![0; b.len() + 1], (0..=b.len()).collect::<Vec<_>>(), vec![0; b.len() + 1]];
    for i in 1..=a.len() {
        let [before, last, now] = &mut rows;
        now[0] = i;
        for j in 1..=b.len() {
            let change = usize::from(a[i - 1] != b[j - 1]);
            now[j] = (last[j] + 1).min(now[j - 1] + 1).min(last[j - 1] + change);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                now[j] = now[j].min(before[j - 2] + 1);
            }
        }
        rows.rotate_left(1);
    }
    rows[1][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(a: &str, b: &str) -> usize {
        distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>())
    }

    #[test]
    fn distances_of_known_pairs() {
        for (a, b, d) in
            [("", "", 0), ("abc", "abc", 0), ("", "abc", 3), ("kitten", "sitting", 3), ("btea", "beta", 1)]
        {
            assert_eq!(between(a, b), d, "{a} {b}");
            assert_eq!(between(b, a), d, "{b} {a}");
        }
    }

    #[test]
    fn only_slips_are_suggested() {
        let names = ["tau-ms", "dt-ms", "beta"];
        assert_eq!(closest("tau_ms", names).as_deref(), Some("tau-ms"));
        assert_eq!(closest("Beta", names).as_deref(), Some("beta"));
        assert_eq!(closest("temperature", names), None);
        assert_eq!(closest("", names), None);
    }
}
