//! Where a commit comes from: whom it names, which pull request brought it to a branch, and who moved the branch. Git
//! believes whatever is written into a commit; what the forge saw itself stands beside it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Account, Sha};

/// A commit and the people it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    pub sha: Sha,
    pub title: String,
    pub credits: Vec<Credit>,
    /// The commits before it; of a merge, first the one on the branch that it was merged into.
    pub parents: Vec<Sha>,
}

/// Somebody whom a commit names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credit {
    pub part: Part,
    pub who: Somebody,
}

/// What a commit says that somebody did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Author,
    /// By a line at the end of its message, which anybody can write.
    CoAuthor,
    Committer,
}

/// A person or machine behind something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Somebody {
    Known(Account),
    /// No account is known to be theirs; what they call themselves.
    Stranger(String),
}

/// How a head relates to a base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    Identical,
    /// The head has commits that the base has not, and lacks none.
    Ahead,
    /// The base has commits that the head has not, and lacks none.
    Behind,
    Diverged,
}

/// What lies between two commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    pub relation: Relation,
    /// Commits of the head that the base has not, oldest first.
    pub commits: Vec<Commit>,
    /// Whether `commits` are all of them.
    pub complete: bool,
    /// The paths that differ, if all of them could be told.
    pub paths: Option<Vec<String>>,
}

/// A pull request that was merged into a branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merge {
    pub number: u64,
    pub opener: Somebody,
    /// Nobody where it was not asked for.
    pub merger: Option<Somebody>,
    /// The commit that the merge made.
    pub commit: Option<Sha>,
    /// What that commit merged.
    pub heads: Vec<Sha>,
}

/// A branch was moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// Where it stood; nothing when it was made.
    pub before: Option<Sha>,
    pub after: Sha,
    pub by: Somebody,
    /// Commits may have left the branch, as far as the forge tells.
    pub forced: bool,
}

impl Commit {
    /// The accounts behind it, each once, as the commit names them.
    pub fn people(&self) -> Vec<&Account> {
        let mut people: Vec<&Account> = Vec::new();
        for credit in &self.credits {
            if let Somebody::Known(account) = &credit.who
                && !people.contains(&account)
            {
                people.push(account);
            }
        }
        people
    }
}

/// What would ship, as far as it was told: the commits above a base.
#[derive(Debug)]
pub struct Batch<'c> {
    commits: BTreeMap<&'c Sha, &'c Commit>,
    base: Option<&'c Sha>,
}

impl<'c> Batch<'c> {
    pub fn new(commits: impl IntoIterator<Item = &'c Commit>, base: Option<&'c Sha>) -> Self {
        let commits = commits.into_iter().map(|commit| (&commit.sha, commit));
        Self {
            commits: commits.collect(),
            base,
        }
    }

    /// The commits that the branch stood at or passed, going by first parents: whatever a merge brought along hangs on
    /// one of these.
    pub fn trunk(&self) -> BTreeSet<&'c Sha> {
        let below: BTreeSet<&Sha> = self.all().flat_map(|commit| &commit.parents).collect();
        let mut trunk = BTreeSet::new();
        for tip in self.all().filter(|commit| !below.contains(&commit.sha)) {
            let mut next = Some(tip);
            while let Some(commit) = next {
                trunk.insert(&commit.sha);
                let first = commit.parents.first();
                next = first.and_then(|sha| self.commits.get(sha)).copied();
            }
        }
        trunk
    }

    /// Those beside the trunk that no pull request is known to have brought: all but what the merges of pull requests
    /// merged.
    pub fn unaccounted(&self, merges: &BTreeMap<Sha, Vec<Merge>>) -> BTreeSet<&'c Sha> {
        let trunk = self.trunk();
        let mut covered = BTreeSet::new();
        for sha in &trunk {
            let merges = merges.get(*sha).into_iter().flatten();
            for merge in merges.filter(|merge| merge.commit.as_ref() == Some(*sha)) {
                let parents = self.commits.get(*sha).map(|commit| &commit.parents);
                let mut sides = parents.into_iter().flatten();
                let before = sides.next().map(|first| self.reached_from(first));
                let before = before.unwrap_or_default();
                for side in sides.filter(|side| merge.heads.contains(side)) {
                    covered.extend(self.reached_from(side).difference(&before).copied());
                }
            }
        }
        let all = self.commits.keys().copied();
        all.filter(|sha| !trunk.contains(sha) && !covered.contains(sha))
            .collect()
    }

    /// The moves that brought a commit to the branch; none where that cannot be told.
    pub fn brought<'m>(&self, sha: &Sha, moves: &'m [Move]) -> Vec<&'m Move> {
        let had = |one: &Move| {
            let before = one.before.as_ref();
            before.is_some_and(|before| self.reached_from(before).contains(sha))
        };
        let brings = |one: &&Move| self.reached_from(&one.after).contains(sha) && !had(one);
        let found: Vec<&Move> = moves.iter().filter(brings).collect();
        if !found.is_empty() {
            return found;
        }
        // It lies within what was pushed at once, and the branch went on beyond what would ship.
        let goes_beyond = |one: &&Move| {
            let begins_here = one.before.as_ref().is_some_and(|before| {
                self.commits.contains_key(before) || self.base == Some(before)
            });
            begins_here && !self.commits.contains_key(&one.after) && !had(one)
        };
        moves.iter().filter(goes_beyond).collect()
    }

    /// Whether a commit of the batch merges others.
    pub fn merges(&self, sha: &Sha) -> bool {
        let commit = self.commits.get(sha);
        commit.is_some_and(|commit| commit.parents.len() > 1)
    }

    fn all(&self) -> impl Iterator<Item = &'c Commit> {
        self.commits.values().copied()
    }

    /// A commit of the batch and everything of the batch below it.
    fn reached_from(&self, sha: &Sha) -> BTreeSet<&'c Sha> {
        let mut reached = BTreeSet::new();
        let mut open: Vec<&Sha> = vec![sha];
        while let Some(next) = open.pop() {
            if let Some(commit) = self.commits.get(next)
                && reached.insert(&commit.sha)
            {
                open.extend(&commit.parents);
            }
        }
        reached
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Forge;

    fn sha(letter: char) -> Sha {
        letter.to_string().repeat(40).parse().unwrap()
    }

    /// `a<bc`: the commit a on top of b and c.
    fn commits(graph: &str) -> Vec<Commit> {
        let one = |text: &str| {
            let (name, parents) = text.split_once('<').unwrap();
            Commit {
                sha: sha(name.chars().next().unwrap()),
                title: String::new(),
                credits: Vec::new(),
                parents: parents.chars().map(sha).collect(),
            }
        };
        graph.split(' ').map(one).collect()
    }

    fn names<'s>(shas: impl IntoIterator<Item = &'s Sha>) -> String {
        shas.into_iter()
            .filter_map(|sha| sha.as_str().chars().next())
            .collect()
    }

    fn merge(commit: char, head: char) -> Merge {
        Merge {
            number: 1,
            opener: Somebody::Stranger(String::new()),
            merger: None,
            commit: Some(sha(commit)),
            heads: vec![sha(head)],
        }
    }

    #[test]
    fn only_what_a_merge_of_a_pull_request_merged_is_accounted_for() {
        let check = |graph: &str, merges: &[(char, char)], trunk: &str, rest: &str| {
            let commits = commits(graph);
            let base = sha('0');
            let batch = Batch::new(&commits, Some(&base));
            assert_eq!(names(batch.trunk()), trunk, "{graph}");
            let merges = merges.iter();
            let merges = merges.map(|(commit, head)| (sha(*commit), vec![merge(*commit, *head)]));
            let unaccounted = batch.unaccounted(&merges.collect());
            assert_eq!(names(unaccounted), rest, "{graph} {trunk}");
        };
        check("b<a a<0", &[], "ab", "");
        check("d<ac c<b b<0 a<0", &[('d', 'c')], "ad", "");
        check("d<ac c<b b<0 a<0", &[], "ad", "bc");
        // Its pull request had another head.
        check("d<ac c<b b<0 a<0", &[('d', 'b')], "ad", "bc");
        // A merge the wrong way round: what stood on the branch is its second parent.
        check("d<ca c<0 a<0", &[], "cd", "a");
        // What stood on the branch before is not what the pull request brought.
        check("e<df d<ca c<0 a<0 f<d", &[('e', 'f')], "cde", "a");
        // Two ends, of which one is not below the other.
        check("a<0 b<0", &[], "ab", "");
    }

    #[test]
    fn a_commit_was_brought_by_the_first_move_that_held_it() {
        let check = |graph: &str, moves: &[&str], brought: &[(char, &str)]| {
            let commits = commits(graph);
            let base = sha('0');
            let batch = Batch::new(&commits, Some(&base));
            let moves: Vec<Move> = moves
                .iter()
                .enumerate()
                .map(|(nth, text)| {
                    let (before, after) = text.split_once('>').unwrap();
                    Move {
                        before: before.chars().next().map(sha),
                        after: sha(after.chars().next().unwrap()),
                        by: Somebody::Known(Account {
                            forge: Forge::GitHub,
                            id: nth as u64,
                            login: text.to_string(),
                        }),
                        forced: false,
                    }
                })
                .collect();
            for (commit, expect) in brought {
                let found = batch.brought(&sha(*commit), &moves);
                let found = found.iter().map(|one| match &one.by {
                    Somebody::Known(account) => account.login.as_str(),
                    Somebody::Stranger(_) => "",
                });
                let found: Vec<&str> = found.collect();
                assert_eq!(found.join(" "), *expect, "{graph} {commit}");
            }
        };
        check(
            "b<a a<0",
            &["b>c", "a>b", "0>a"],
            &[('a', "0>a"), ('b', "a>b")],
        );
        check("b<a a<0", &["0>b"], &[('a', "0>b"), ('b', "0>b")]);
        // What would ship is the middle of a push.
        check("a<0", &["0>b"], &[('a', "0>b")]);
        check("b<a a<0", &["a>c", "0>a"], &[('a', "0>a"), ('b', "a>c")]);
        // A new branch, and one whose moves are not known.
        check("a<0", &[">a"], &[('a', ">a")]);
        check("b<a a<0", &["a>b"], &[('a', ""), ('b', "a>b")]);
        check("a<0", &["8>9"], &[('a', "")]);
        // Whoever may have put it there after it had gone is one of those who brought it.
        check("a<0", &["9>a", "0>9", "0>a"], &[('a', "9>a 0>a")]);
    }
}
