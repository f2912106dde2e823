//! Order in which files are parsed.

use std::collections::BTreeSet;

use crate::{evidence::root_of, walk::Candidate};

/// Splits the candidates into those that are parsed first (evidence of Zoom, or a name that only v1
/// has) and those that are parsed later (only paths or weak evidence).
///
/// A path such as `user/list` alone is no evidence: without a file of the first group, the second
/// group is empty. A file with only the word zoom is in the first group if its project, the result
/// of `project`, has a file with evidence of Zoom.
pub(super) fn parse_order(
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
    let (primary, secondary): (Vec<_>, Vec<_>) = candidates.iter().partition(|candidate| {
        let trace = candidate.trace;
        trace.zoom
            || trace.keyed
            || trace.distinctive
            || trace.word && (trace.versioned || !trace.weak && is_beside(candidate))
    });
    if primary.is_empty() {
        return (primary, Vec::new());
    }
    (primary, secondary)
}

/// The roots that are in no other root.
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
        let (primary, _) = parse_order(&candidates, project);
        let path = |found: &&Candidate| found.path.to_string_lossy().into_owned();
        primary.iter().map(path).collect()
    }

    #[test]
    fn parses_client_parts_first_only_in_projects_with_evidence_of_zoom() {
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
