//! The public test vectors of Merkle proofs, honest and adversarial ones. They are read from beside the
//! project, and skipped where they are not.

use countersign_ledger::{Head, grew_from, leaf, leaf_is_in, unbase64};
use serde::Deserialize;

/// A case of the public vectors.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    case: String,
    want_err: bool,
    proof: Option<Vec<String>>,
    // Of inclusion.
    leaf_idx: Option<u64>,
    tree_size: Option<u64>,
    root: Option<String>,
    leaf_hash: Option<String>,
    // Of consistency.
    size1: Option<u64>,
    size2: Option<u64>,
    root1: Option<String>,
    root2: Option<String>,
}

fn hash(text: Option<&String>) -> Option<[u8; 32]> {
    unbase64(text?)?.try_into().ok()
}

/// Some vectors have any bytes for a root; what counts is whether they are the same.
fn root(text: Option<&String>) -> Option<[u8; 32]> {
    let bytes = unbase64(text?)?;
    let any = leaf(&bytes);
    Some(bytes.try_into().unwrap_or(any))
}

#[test]
fn the_public_vectors_agree() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/vectors/rfc6962-merkle.jsonl"
    );
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: the public vectors are not at {path}");
        return;
    };
    let (mut inclusions, mut consistencies) = (0, 0);
    for line in text.lines() {
        let case: Case = serde_json::from_str(line).unwrap();
        let proof: Option<Vec<[u8; 32]>> = case
            .proof
            .iter()
            .flatten()
            .map(|text| hash(Some(text)))
            .collect();
        let holds = if case.case.starts_with("inclusion/") {
            inclusions += 1;
            match (
                proof,
                root(case.root.as_ref()),
                hash(case.leaf_hash.as_ref()),
            ) {
                (Some(proof), Some(root), Some(leaf)) => {
                    let size = case.tree_size.unwrap();
                    leaf_is_in(Head { size, root }, case.leaf_idx.unwrap(), leaf, &proof)
                }
                _ => false,
            }
        } else if case.case.starts_with("consistency/") {
            consistencies += 1;
            match (proof, root(case.root1.as_ref()), root(case.root2.as_ref())) {
                (Some(proof), Some(root1), Some(root2)) => {
                    let old = Head {
                        size: case.size1.unwrap(),
                        root: root1,
                    };
                    let new = Head {
                        size: case.size2.unwrap(),
                        root: root2,
                    };
                    grew_from(old, new, &proof)
                }
                _ => false,
            }
        } else {
            continue;
        };
        assert_eq!(holds, !case.want_err, "{}", case.case);
    }
    assert!(
        inclusions == 98 && consistencies == 98,
        "{inclusions} {consistencies}"
    );
}
