//! A running container as the tests see it: where its packets arrive, and who answers there.

use super::world::World;
use crate::lab::{Echo, Netns};

/// A container that serves its page on port 80 and answers on port 7, TCP and UDP.
pub struct Container {
    pub name: String,
    pub netns: Netns,
    _echo: Echo,
}

impl Container {
    /// `pid` is the container's process, as the engine knows it.
    pub fn running(world: &World, name: &str, pid: &str) -> Container {
        let netns = world.inside.netns_of(name, pid);
        world.settle(&netns);
        let echo = Echo::serve(&netns, 7);
        Container { name: name.to_owned(), netns, _echo: echo }
    }
}
