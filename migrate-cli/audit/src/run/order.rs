//! Which files are parsed first, and which only if those prove v1.

use std::collections::BTreeSet;

use crate::{evidence::root_of, walk::Candidate};

/// The files that may have to be parsed: those that speak of Zoom or have what only v1 has, and those
/// that only have paths. Without the former, a path such as `user/list` means nothing; nor do parts of
/// a client in another project than those of the former: `project` names that of a file, if any.
pub(super) fn worth_reading(
    candidates: &[Candidate],
    project: impl Fn(&Candidate) -> String,
) -> (Vec<&Candidate>, Vec<&Candidate>) {
    let of_zoom: BTreeSet<String> = candidates
        .iter()
        .filter(|candidate| candidate.trace.zoom)
        .map(&project)
        .collect();
    let is_beside = |candidate: &Candidate| {
        let project = project(candidate);
        !of_zoom.is_empty()
            && (project.is_empty() || of_zoom.contains("") || of_zoom.contains(&project))
    };
    let (speaking, silent): (Vec<_>, Vec<_>) = candidates.iter().partition(|candidate| {
        let trace = candidate.trace;
        trace.zoom
            || trace.keyed
            || trace.distinctive
            || trace.word && (trace.versioned || !trace.weak && is_beside(candidate))
    });
    if speaking.is_empty() {
        return (speaking, Vec::new());
    }
    (speaking, silent)
}

/// The roots that lie in no other.
pub(super) fn outermost(roots: &BTreeSet<String>) -> BTreeSet<String> {
    roots
        .iter()
        .filter(|root| root_of(root, roots).is_empty())
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::prefilter::Trace;

    fn candidate(path: &str, trace: Trace) -> Candidate {
        Candidate {
            path: PathBuf::from(path),
            trace,
            large: false,
        }
    }

    fn first(paths: &[(&str, Trace)], roots: &[&str]) -> Vec<String> {
        let roots = roots.iter().map(|root| (*root).to_owned()).collect();
        let outer = outermost(&roots);
        let candidates: Vec<_> = paths.iter().map(|(p, t)| candidate(p, *t)).collect();
        let project = |found: &Candidate| root_of(&found.path.to_string_lossy(), &outer);
        let (speaking, _) = worth_reading(&candidates, project);
        let path = |found: &&Candidate| found.path.to_string_lossy().into_owned();
        speaking.iter().map(path).collect()
    }

    #[test]
    fn parts_of_a_client_are_read_first_only_beside_what_speaks_of_zoom() {
        let word = Trace::of_path(true);
        let mut zoom = word;
        zoom.zoom = true;
        let files = [
            ("a/lib/zoom.js", zoom),
            ("a/part.js", word),
            ("a/inner/part.js", word),
            ("b/part.js", word),
            ("part.js", word),
        ];
        let roots = ["a", "a/inner", "b"];
        let beside = ["a/lib/zoom.js", "a/part.js", "a/inner/part.js", "part.js"];
        assert_eq!(first(&files, &roots), beside);
        assert_eq!(first(&files, &[]).len(), 5);
        assert!(first(files.get(1..).unwrap(), &roots).is_empty());
        let outside = [("zoom.js", zoom), ("b/part.js", word)];
        assert_eq!(first(&outside, &roots).len(), 2);
    }
}
