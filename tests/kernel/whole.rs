//! A whole table as this crate reads it, and as a transaction that makes it anew.

use portcullis::nft::{
    AnyChain, Change, Element, Family, Kernel, Listed, Name, Object, Rule, Set, Table, TableId,
    Transaction, list_table,
};

/// All that is in a table.
pub struct Whole {
    pub table: Table,
    pub objects: Vec<Object>,
    pub sets: Vec<(Set, Vec<Element>)>,
    pub chains: Vec<(AnyChain, Vec<Listed<Rule>>)>,
}

/// `inet filter` as an id.
pub fn table_id(text: &str) -> TableId {
    let (family, name) = text.split_once(' ').unwrap();
    let family = match family {
        "ip" => Family::Ip,
        "ip6" => Family::Ip6,
        "inet" => Family::Inet,
        "bridge" => Family::Bridge,
        "netdev" => Family::Netdev,
        "arp" => Family::Arp,
        other => panic!("no family {other}"),
    };
    TableId { family, name: Name::new(name).unwrap() }
}

impl Whole {
    pub fn read(kernel: &mut Kernel, id: &TableId) -> Whole {
        let table = kernel.table(id).unwrap().expect("table is there");
        let rules = kernel.rules(id, None).unwrap();
        let of = |chain: &Name| {
            rules.iter().filter(|(of, _)| of == chain).map(|(_, rule)| rule.clone()).collect()
        };
        let chains = kernel.chains(id).unwrap().into_iter().map(|chain| chain.value);
        let chains = chains.map(|chain| (chain.clone(), of(chain.name()))).collect();
        let objects = kernel.objects(id).unwrap();
        let sets = kernel.sets(id).unwrap().into_iter();
        let sets = sets.map(|set| (set.clone(), kernel.elements(id, &set.name).unwrap())).collect();
        Whole { table, objects, sets, chains }
    }

    /// As `nft list table` shows it.
    pub fn listing(&self) -> String {
        let chains: Vec<(AnyChain, Vec<Rule>)> = self
            .chains
            .iter()
            .map(|(chain, rules)| {
                (chain.clone(), rules.iter().map(|rule| rule.value.clone()).collect())
            })
            .collect();
        list_table(&self.table, &self.objects, &self.sets, &chains)
    }

    /// Rules in the kernel's order.
    pub fn rules(&self) -> impl Iterator<Item = (&Name, &Listed<Rule>)> {
        self.chains.iter().flat_map(|(chain, rules)| rules.iter().map(|rule| (chain.name(), rule)))
    }

    /// Makes the same table where there is none.
    pub fn rebuild(&self) -> Transaction {
        let id = &self.table.id;
        let mut transaction = Transaction::new();
        transaction.push(Change::AddTable(self.table.clone()));
        for object in &self.objects {
            transaction.push(Change::AddObject(id.clone(), object.clone()));
        }
        for (chain, _) in &self.chains {
            transaction.push(match chain {
                AnyChain::Base(chain) => Change::AddBaseChain(id.clone(), chain.clone()),
                AnyChain::Regular(chain) => Change::AddChain(id.clone(), chain.clone()),
            });
        }
        for (set, elements) in self.sets.iter().filter(|(set, _)| !set.is_anonymous()) {
            transaction.push(Change::AddSet(id.clone(), set.clone()));
            if !elements.is_empty() {
                let elements = elements.clone();
                transaction.push(Change::AddElements(id.clone(), set.clone(), elements));
            }
        }
        for (chain, rule) in self.rules() {
            let rule = rule
                .value
                .clone()
                .with_own_sets(|name| self.sets.iter().find(|(set, _)| set.name == *name).cloned());
            let (table, chain) = (id.clone(), chain.clone());
            transaction.push(Change::AddRule { table, chain, rule: rule.into(), after: None });
        }
        transaction
    }
}
