use super::*;
use rtnetlink::packet_core::DoneMessage;

fn complete(payload: NetlinkPayload<RouteNetlinkMessage>) -> (bool, Option<i32>) {
    let message = NetlinkMessage::new(Default::default(), payload);
    let answers = Answers::sort(vec![message]);
    (answers.is_complete, answers.refusal.map(|refusal| refusal.errno))
}

#[test]
fn answers_when_none_came_then_are_not_complete() {
    assert!(!Answers::sort(vec![]).is_complete);
}

#[test]
fn answers_when_acknowledged_then_are_complete() {
    assert_eq!(complete(NetlinkPayload::Error(ErrorMessage::default())), (true, None));
}

#[test]
fn answers_when_a_list_ends_then_its_end_says_whether_all_is_there() {
    let mut done = DoneMessage::default();
    assert_eq!(complete(NetlinkPayload::Done(done.clone())), (true, None));
    done.code = -105;
    assert_eq!(complete(NetlinkPayload::Done(done)), (true, Some(105)));
}
