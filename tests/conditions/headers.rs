//! Conditions on less usual headers, and the packets that tell them apart.

use std::net::IpAddr;

use portcullis::net::IpVersion;

use crate::cases::At::{self, Both, In, Out};
use crate::lab::packet::Packet;
use crate::traffic::{packet, ports, tcp};

/// Of both families.
pub const SHARED: &[(At, &str)] = &[
    (Both, "-p tcp -m tcpmss --mss 1460"),
    (Both, "-p tcp -m tcpmss --mss 500:1000"),
    (Both, "-p tcp -m ecn --ecn-tcp-cwr"),
    (Both, "-p tcp -m ecn ! --ecn-tcp-cwr"),
    (Both, "-p tcp -m ecn --ecn-tcp-cwr ! --ecn-tcp-ece"),
    (Both, "-m ecn --ecn-ip-ect 1"),
    (Both, "-m ecn --ecn-ip-ect 3"),
    (Both, "-m ecn ! --ecn-ip-ect 0"),
    (Both, "-m tos --tos 0x10"),
    (Both, "-m tos ! --tos 0x10"),
    (Both, "-m tos --tos 0x10/0x3f"),
    (Both, "-m tos --tos Maximize-Throughput"),
    (Both, "-m tos --tos 0x20/0xfc"),
    (Both, "-m tos ! --tos 0x1/0x3"),
    (Both, "-m tos --tos 0x20/0x10"),
    (Both, "-p esp -m esp --espspi 7"),
    (Both, "-p esp -m esp ! --espspi 7:9"),
    (Both, "-p esp -m esp --espspi :8"),
    (Both, "-p esp -m esp"),
    (Both, "-p ipcomp -m ipcomp --ipcompspi 3:5"),
    (Both, "-p ipcomp -m ipcomp ! --ipcompspi 3"),
    (Both, "-m connbytes --connbytes 2 --connbytes-mode packets --connbytes-dir both"),
    (Both, "-m connbytes ! --connbytes 2:3 --connbytes-mode packets --connbytes-dir original"),
    (Both, "-m connbytes --connbytes 50:90 --connbytes-mode bytes --connbytes-dir original"),
    (Both, "-m connbytes --connbytes 1:60 --connbytes-mode avgpkt --connbytes-dir reply"),
    (Both, "-m quota --quota 1000"),
    (Both, "-m quota ! --quota 1000"),
    (Both, "-m cpu --cpu 0"),
    (Both, "-m cpu ! --cpu 0"),
    (Both, "-m time --timestart 00:00:01 --timestop 23:59:58 --datestart 2020-01-01"),
    (Both, "-m time ! --weekdays Mon,Tue,Wed,Thu"),
    (Both, "-m time --weekdays Fri,Sat,Sun --datestop 2037-06-01T12:00:00"),
    (Both, "-m time --datestop 2020-06-01T12:00:00"),
    (In, "-m policy --dir in --pol none"),
    (In, "-m policy --dir in --pol ipsec"),
    (Out, "-m policy --dir out --pol none"),
    (Out, "-m policy --dir out --pol ipsec"),
    (In, "-m devgroup --src-group 0"),
    (In, "-m devgroup ! --src-group 0/0xff"),
    (In, "-m socket --transparent --nowildcard"),
    (Out, "-m cgroup --cgroup 0"),
    (Out, "-m cgroup ! --cgroup 5"),
];

/// Of one family.
pub fn of(version: IpVersion) -> &'static [(At, &'static str)] {
    match version {
        IpVersion::V4 => V4,
        IpVersion::V6 => V6,
    }
}

const V4: &[(At, &str)] = &[
    (Both, "-p ah -m ah --ahspi 7"),
    (Both, "-p ah -m ah ! --ahspi 3:5"),
    (Both, "-p ah -m ah"),
    (In, "-p udp -m u32 --u32 0>>22&0x3C@12&0xFFFFFF00=1048832"),
    (In, "-p udp -m udp --dport 4789 -m u32 --u32 0>>22&0x3C@12&0xFFFFFF00=512"),
];

const V6: &[(At, &str)] = &[
    (In, "-m hbh"),
    (In, "-m hbh --hbh-len 8"),
    (In, "-m hbh ! --hbh-len 8"),
    (In, "-m dst"),
    (In, "-m dst --dst-len 16"),
    (In, "-m rt"),
    (In, "-m rt --rt-type 2"),
    (In, "-m rt ! --rt-type 2"),
    (In, "-m rt --rt-segsleft 0:1"),
    (In, "-m rt ! --rt-segsleft 1 --rt-len 8"),
    (In, "-m frag"),
    (In, "-m frag --fragid 1:5"),
    (In, "-m frag --fragfirst --fraglast"),
    (In, "-m frag --fragmore"),
    (In, "-m frag --fragres"),
    (In, "-p 135 -m mh --mh-type 1:4"),
    (In, "-p 135 -m mh ! --mh-type binding-update"),
    (In, "-m ipv6header --header hop --soft"),
    (In, "-m ipv6header --header hop,dst --soft"),
    (In, "-m ipv6header ! --header hop,dst --soft"),
];

/// Packets with these headers.
pub fn packets(version: IpVersion, from: IpAddr, to: IpAddr) -> Vec<Packet> {
    let mut packets = Vec::new();
    for class in [0x01, 0x02, 0x03, 0x10, 0x11, 0x08, 0x48, 0x20, 0x22, 0xff] {
        packets.push(Packet { class, ..packet(from, to, 17, ports(3, 4)) });
    }
    for flags in [0x42, 0x82, 0xc2] {
        packets.push(packet(from, to, 6, tcp(40002, 86, flags)));
    }
    for size in [536_u16, 900, 1460] {
        let mut data = tcp(40003, 87, 0x02);
        data[12] = 7 << 4;
        // A no-operation in front, so that the option is not the first.
        data.extend([1, 2, 4]);
        data.extend(size.to_be_bytes());
        data.extend([1, 1, 1]);
        packets.push(packet(from, to, 6, data));
    }
    for index in [3_u32, 7, 8, 9, 0xffff_fffe] {
        let esp = [index.to_be_bytes(), [0; 4], [0; 4], [0; 4]].concat();
        packets.push(packet(from, to, 50, esp));
        let [.., high, low] = index.to_be_bytes();
        packets.push(packet(from, to, 108, vec![17, 0, high, low, 0, 0, 0, 0]));
    }
    for network in [0x1001_u32, 2, 3] {
        let mut data = ports(40000, 4789);
        data.truncate(8);
        data.extend([8, 0, 0, 0]);
        data.extend((network << 8 | 0x5a).to_be_bytes());
        packets.push(packet(from, to, 17, data));
    }
    match version {
        IpVersion::V4 => packets.extend([3_u32, 4, 7, 9].map(|index| {
            let ah = [[17, 4, 0, 0], index.to_be_bytes(), [0; 4], [0; 4], [0; 4], [0; 4]].concat();
            packet(from, to, 51, [ah, ports(5, 6)].concat())
        })),
        IpVersion::V6 => packets.extend(extensions(from, to)),
    }
    packets
}

fn extensions(from: IpAddr, to: IpAddr) -> Vec<Packet> {
    const PAD: [u8; 6] = [1, 4, 0, 0, 0, 0];
    let options = |next: u8, units: u8| {
        let mut header = vec![next, units];
        header.extend(PAD);
        header.extend(
            [[1, 6, 0, 0, 0, 0, 0, 0]].iter().flatten().cycle().take(8 * usize::from(units)),
        );
        header
    };
    let routing = |kind: u8, left: u8| vec![17, 0, kind, left, 0, 0, 0, 0];
    let fragment = |reserved: u8, offset: u16, id: u32| {
        [vec![17, reserved], offset.to_be_bytes().to_vec(), id.to_be_bytes().to_vec()].concat()
    };
    let udp = ports(7, 8);
    let with =
        |protocol: u8, header: Vec<u8>| packet(from, to, protocol, [header, udp.clone()].concat());
    let mut packets = vec![
        with(0, options(17, 0)),
        with(0, options(17, 1)),
        with(0, [options(60, 0), options(17, 1)].concat()),
        with(60, options(17, 0)),
        with(60, options(17, 1)),
        with(43, routing(2, 1)),
        with(43, routing(2, 0)),
        with(43, routing(4, 3)),
        with(44, fragment(0, 0, 3)),
        with(44, fragment(9, 0, 7)),
        with(44, fragment(0, 1, 4)),
    ];
    packets
        .extend([0, 1, 3, 5].map(|kind| packet(from, to, 135, vec![59, 0, kind, 0, 0, 0, 0, 0])));
    packets
}
