#!/usr/bin/env python3
"""Writes the same seven calls the way each switch writes them, one folder a format. Run it in this folder after a change.

Each folder's `source.toml` is the `[[source]]` that reads it; `common` is the rest of the project. The test of these folders
(`rating-core/tests/it/agree.rs`) has the prices.
"""

import datetime as dt
import json
import pathlib
import zoneinfo

HERE = pathlib.Path(__file__).parent
LONDON = zoneinfo.ZoneInfo("Europe/London")
# Set-up in London, seconds of ringing and of talk, which way, caller, called as dialled.
CALLS = [
    ("2026-10-05 09:00:00", 10, 61, "out", "2001", "01614960123"),
    ("2026-10-05 18:30:00", 5, 125, "out", "2001", "004930901820"),
    ("2026-10-06 10:00:00", 20, 0, "out", "2001", "01614960123"),
    ("2026-10-07 11:00:00", 3, 20, "internal", "2001", "2002"),
    ("2026-10-08 12:00:00", 4, 40, "in", "01614960123", "2001"),
    ("2026-10-10 12:00:00", 7, 30, "out", "2002", "07700900123"),
    ("2026-10-26 09:00:00", 6, 600, "out", "2001", "01614960123"),
]


class Call:
    def __init__(self, index, setup, ring, talk, way, a, b):
        self.n, self.ring, self.talk, self.way, self.a, self.b = index + 1, ring, talk, way, a, b
        self.setup = dt.datetime.fromisoformat(setup).replace(tzinfo=LONDON)
        self.answered = talk > 0
        self.answer = self.setup + dt.timedelta(seconds=ring)
        self.end = self.answer + dt.timedelta(seconds=talk)
        self.whole = ring + talk
        # Public numbers of both ends, in E.164.
        public = lambda text: f"+4420794601{text[2:]}" if len(text) == 4 else "+" + text[2:] if text.startswith("00") else "+44" + text[1:]
        self.from_public, self.to_public = public(a), public(b)

    def epoch(self, moment):
        return int(moment.timestamp())

    def utc(self, moment, form):
        return moment.astimezone(dt.timezone.utc).strftime(form)


ALL = [Call(index, *call) for index, call in enumerate(CALLS)]
LOCAL, ISO = "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"


def write(folder, name, text, source):
    path = HERE / folder
    path.mkdir(exist_ok=True)
    (path / name).write_text(text, encoding="utf-8")
    (path / "source.toml").write_text(
        f'[[source]]\nid = "switch"\nsite = "ldn"\nfiles = "{name}"\nzone = "Europe/London"\n{source}', encoding="utf-8"
    )


def hms(seconds):
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def lines(of):
    return "".join(line + "\n" for call in ALL for line in ([of(call)] if isinstance(of(call), str) else of(call)))


def channels(call, technology):
    inside = lambda text: f"{technology}/{text}-{call.n:08x}"
    trunk = f"{technology}/trunk-{call.n + 256:08x}"
    a = trunk if call.way == "in" else inside(call.a)
    b = trunk if call.way == "out" else inside(call.b)
    return a, b


def asterisk():
    def row(call):
        a, b = channels(call, "PJSIP")
        context = "from-trunk" if call.way == "in" else "from-internal"
        cells = ["", call.a, call.b, context, f'""{call.a}"" <{call.a}>', a, b, "Dial", "", call.setup.strftime(LOCAL)]
        cells += [call.answer.strftime(LOCAL) if call.answered else "", call.end.strftime(LOCAL)]
        text = ",".join(f'"{cell}"' for cell in cells)
        state = "ANSWERED" if call.answered else "NO ANSWER"
        return f'{text},{call.whole},{call.talk},"{state}","DOCUMENTATION","{call.epoch(call.setup)}.{call.n}"'

    write("asterisk", "Master.csv", lines(row), 'format = "asterisk"\ntrunks = "PJSIP/trunk"\n')


def cucm():
    names = ["cdrRecordType", "globalCallID_callManagerId", "globalCallID_callId", "origLegCallIdentifier", "dateTimeOrigination",
             "callingPartyNumber", "originalCalledPartyNumber", "finalCalledPartyNumber", "destLegIdentifier", "dateTimeConnect",
             "dateTimeDisconnect", "lastRedirectDn", "pkid", "originalCalledPartyNumberPartition", "callingPartyNumberPartition",
             "finalCalledPartyNumberPartition", "duration", "origDeviceName", "destDeviceName", "origCallTerminationOnBehalfOf",
             "destCallTerminationOnBehalfOf", "origCalledPartyRedirectOnBehalfOf", "lastRedirectRedirectOnBehalfOf",
             "origCalledPartyRedirectReason", "lastRedirectRedirectReason", "globalCallId_ClusterID", "comment"]
    text = ",".join(f'"{name}"' for name in names) + "\n"
    text += ",".join("INTEGER" if name[0] in "cg" or name.startswith("dateTime") else "VARCHAR(50)" for name in names) + "\n"
    for call in ALL:
        phone = lambda number: f"SEP00000000{number}"
        a = "SIP-TRUNK" if call.way == "in" else phone(call.a)
        b = "SIP-TRUNK" if call.way == "out" else phone(call.b)
        part = lambda device: "" if device == "SIP-TRUNK" else "Internal"
        dialled = "9" + call.b if call.way == "out" else call.b
        connect = call.epoch(call.answer) if call.answered else 0
        row = [1, 1, call.n, 100 + call.n, call.epoch(call.setup), f'"{call.a}"', f'"{dialled}"', f'"{dialled}"', 200 + call.n, connect,
               call.epoch(call.end), f'"{dialled}"', f'"0000000{call.n}-0000-4000-8000-000000000000"', f'"{part(b)}"', f'"{part(a)}"',
               f'"{part(b)}"', call.talk, f'"{a}"', f'"{b}"', 12, 12, 0, 0, 0, 0, '"CL1"', '""']
        text += ",".join(str(cell) for cell in row) + "\n"
    write("cisco-cucm", "cdr_CL1_01_202610312359_1", text, 'format = "cisco-cucm"\ntrunks = "SIP-TRUNK"\n')


def freeswitch():
    def row(call):
        a, b = (text.replace("PJSIP/trunk", "sofia/gateway/trunk").replace("PJSIP/", "sofia/internal/") for text in channels(call, "PJSIP"))
        uuid = f"0000000{call.n}-aaaa-4000-8000-000000000000"
        cells = ["", call.a, call.b, "default", call.a, a, b, "bridge", b, call.setup.strftime(LOCAL)]
        cells += [call.answer.strftime(LOCAL) if call.answered else "", call.end.strftime(LOCAL), call.whole, call.talk]
        cells += ["NORMAL_CLEARING" if call.answered else "NO_ANSWER", "3", uuid, ""]
        return ",".join(f'"{cell}"' for cell in cells)

    write("freeswitch", "Master.csv", lines(row), 'format = "freeswitch"\ntrunks = "sofia/gateway"\n')


def freeswitch_json():
    def document(call):
        inside = call.way != "in"
        a, b = (text.replace("PJSIP/trunk", "sofia/gateway/trunk").replace("PJSIP/", "sofia/internal/") for text in channels(call, "PJSIP"))
        uuid = f"0000000{call.n}-bbbb-4000-8000-000000000000"
        times = {
            "start_epoch": str(call.epoch(call.setup)), "answer_epoch": str(call.epoch(call.answer) if call.answered else 0),
            "end_epoch": str(call.epoch(call.end)), "duration": str(call.whole), "billsec": str(call.talk),
            "billmsec": str(call.talk * 1000), "hangup_cause": "NORMAL_CLEARING" if call.answered else "NO_ANSWER",
        }
        profile = {
            "username": call.a if inside else "", "caller_id_name": "", "caller_id_number": call.a, "ani": call.a,
            "destination_number": call.b, "uuid": uuid, "context": "default", "chan_name": a,
            "originatee": {"originatee_caller_profiles": [{"destination_number": call.b, "chan_name": b, "uuid": uuid[:-1] + "1"}]},
        }
        variables = {"uuid": uuid, "direction": "inbound", "channel_name": a, "bridge_channel": b, "last_app": "bridge", "last_arg": b, **times}
        if inside:
            variables["user_name"] = call.a
        return json.dumps({
            "core-uuid": "c", "switchname": "fs1", "channel_data": {"direction": "inbound"}, "variables": variables,
            "callflow": [{"dialplan": "XML", "profile_index": "1", "caller_profile": profile}],
        })

    write("freeswitch-json", "calls.cdr.json", lines(document), 'format = "freeswitch"\ntrunks = "sofia/gateway"\n')


def three_cx():
    def row(call):
        utc = lambda moment: call.utc(moment, "%Y/%m/%d %H:%M:%S")
        party = lambda text: f"Ext.{text}" if len(text) == 4 else text
        kind = lambda text: "Internal" if len(text) == 4 else "External"
        line = lambda text: text if len(text) == 4 else "10001"
        milliseconds = f"{call.epoch(call.setup) * 1000:016X}"
        answered = [hms(call.talk), utc(call.setup), utc(call.answer)] if call.answered else ["", utc(call.setup), ""]
        cells = [f"Call {call.n}", f"{milliseconds}_{call.n}", *answered, utc(call.end), "TerminatedByDst", party(call.a), party(call.b),
                 line(call.a), line(call.b), call.b, "", "", "", "", "", "", "", f"Chain: {party(call.a)};{party(call.b)};",
                 kind(call.a), kind(call.b), "", "", "", "", ""]
        return ",".join(cells)

    write("3cx", "cdr.log", lines(row), 'format = "3cx"\ntrunks = "10001"\n')


def broadworks_cells(call, direction, number):
    cells = [""] * 60
    put = lambda at, text: cells.__setitem__(at - 1, text)
    stamp = lambda moment: call.utc(moment, "%Y%m%d%H%M%S.000")
    own, public = call.from_public if direction == "Originating" else call.to_public, "local" if call.way == "internal" else "public"
    put(1, f"{call.n:08}{number}2a91c0{stamp(call.setup)[:14]}.0001+010000")
    put(2, "harbour_sp"), put(3, "Normal"), put(4, own), put(6, direction), put(7, call.from_public), put(8, "Public")
    put(9, call.to_public), put(10, stamp(call.setup)), put(11, "1+010000"), put(12, "Yes" if call.answered else "No")
    put(13, stamp(call.answer) if call.answered else ""), put(14, stamp(call.end)), put(15, "016"), put(16, "VoIP")
    put(18, call.b), put(19, "private" if call.way == "internal" else "national"), put(21, call.to_public if call.way == "out" else "")
    put(24, "Group" if call.way == "internal" else "192.0.2.30:5060"), put(25, f"BW{call.n}@192.0.2.10"), put(42, "y")
    put(43, "private" if call.way == "internal" else "public")
    put(45, f"{call.n}{number}:0"), put(46, f"{call.n}{3 - number}:0" if call.way == "internal" else "")
    return cells


def broadworks():
    def rows(call):
        sides = {"out": ["Originating"], "in": ["Terminating"], "internal": ["Originating", "Terminating"]}[call.way]
        return [",".join(broadworks_cells(call, side, number)) for number, side in enumerate(sides, 1)]

    head = "version=22.0 encoding=ISO-8859-1\n00000000014f2a91c020261001080000.0001+010000,,Start\n"
    tail = "00000000094f2a91c020261031230000.0001+010000,,End\n"
    write("broadworks", "BW-CDR-20261031-2-as1-000001.csv", head + lines(rows) + tail, 'format = "broadworks"\n')


def ip_office():
    def row(call):
        device = lambda text, name: (f"E{text}", name) if len(text) == 4 else ("T9001", "Line 1.1")
        dialled = "9" + call.b if call.way == "out" else call.b
        cells = [call.setup.strftime("%Y/%m/%d %H:%M:%S"), hms(call.talk), str(call.ring), call.a, "I" if call.way == "in" else "O",
                 dialled, dialled, "", "1" if call.way == "internal" else "0", str(1000000 + call.n), "0"]
        near, far = (call.b, call.a) if call.way == "in" else (call.a, call.b)
        return ",".join(cells + [*device(near, "Jo"), *device(far, "Kim"), "0"])

    write("avaya-ip-office", "smdr.csv", lines(row), 'format = "avaya-ip-office"\ntrunks = "T9001"\n')


def mitel():
    def row(call):
        line = [" "] * 207

        def put(at, text):
            for offset, letter in enumerate(text):
                line[at - 1 + offset] = letter

        put(2, call.setup.strftime("%m/%d %H:%M:%S"))
        put(18, f"{call.talk // 3600:04}:{call.talk // 60 % 60:02}:{call.talk % 60:02}" if call.answered else "")
        put(29, "T102" if call.way == "in" else call.a)
        put(37, f"{call.ring:04}" if call.answered else "****")
        put(42, "9" + call.b if call.way == "out" else call.b)
        put(68, "A" if call.answered and call.way == "out" else " ")
        put(70, "T054" if call.way == "out" else call.b)
        put(108, "001")
        if call.way == "in":
            put(114, call.a)
        put(154, f"A{call.n:07}"), put(163, "A")
        return "".join(line)

    write("mitel-3300", "smdr-2026-10.log", lines(row), 'format = "mitel-3300"\n')


def opensips():
    def rows(call):
        a, b = f"ft{call.n}", f"tt{call.n}"
        gateway, phones = "203.0.113.5", "192.0.2.9"
        extra = [call.a, call.b, call.b, gateway if call.way == "in" else phones, gateway if call.way == "out" else phones]
        begin = "|".join(["INVITE", a, b, f"call{call.n}@x", "200" if call.answered else "487", "OK", str(call.epoch(call.answer)), *extra])
        end = "|".join(["BYE", b, a, f"call{call.n}@x", "200", "OK", str(call.epoch(call.end)), *extra])
        return [end, begin] if call.answered else [begin]

    columns = 'columns = ["src_user", "dst_ouser", "dst_user", "src_ip", "dst_ip"]\ntrunks = "203.0.113.*"\n'
    write("opensips", "acc.log", lines(rows), 'format = "opensips"\n' + columns)


def kazoo():
    names = ("id,call_id,caller_id_number,caller_id_name,callee_id_number,callee_id_name,duration_seconds,billing_seconds,timestamp,"
             "hangup_cause,other_leg_call_id,owner_id,to,from,direction,request,authorizing_id,cost,dialed_number,calling_from,datetime,"
             "unix_timestamp,unix_timestamp_micro,rfc_1036,iso_8601,iso_8601_combined,call_type,rate,rate_name,bridge_id,recording_url,"
             "media_recordings,media_server,call_priority,interaction_id\n")

    def row(call):
        inside = call.way != "in"
        epoch = call.epoch(call.setup)
        user, device = ("c0ffee01", "d0d0d001") if inside else ("", "")
        realm = "acme.example.com" if inside else "carrier.example.com"
        cells = [f"202610-a{call.n}", f"a{call.n}", call.a, "", call.b, "", call.whole, call.talk, epoch + 62167219200,
                 "NORMAL_CLEARING", "", user, f"{call.b}@{realm}", f"{call.a}@{realm}", "inbound", f"{call.b}@{realm}", device, "0", call.b,
                 call.a, call.utc(call.setup, "%Y-%m-%d_%H:%M:%S"), epoch, epoch * 1000000, call.utc(call.setup, "%a, %d %b %Y %H:%M:%S GMT"),
                 call.utc(call.setup, "%Y-%m-%d"), call.utc(call.setup, ISO), "", "0.0", "", "", "", "", "fs1", "", f"{epoch}-{call.n}"]
        return ",".join(str(cell) for cell in cells)

    write("kazoo", "cdrs.csv", names + lines(row), 'format = "kazoo"\n')


def oracle():
    def row(call):
        stamp = lambda moment: moment.strftime("%H:%M:%S.000 %Z %b %d %Y").upper()
        user = lambda text: f'"<sip:{text}@192.0.2.1:5060;user=phone>;tag=a{call.n}"'
        connect = stamp(call.answer) if call.answered else "00:00:00.000 UTC JAN 01 1970"
        realms = ["tenants" if call.way != "out" else "carrier", "tenants" if call.way != "in" else "carrier"]
        cells = [2, "192.0.2.70", 5060, f'"SD{call.n}@192.0.2.70"', f'"in{call.n}@192.0.2.1"', f'"out{call.n}@192.0.2.2"', '"SIP"', '""', '""',
                 user(call.a), user(call.b), 1, call.talk, stamp(call.setup), connect, stamp(call.end), '"16"', '"M00"', 0, '"M10"', 0,
                 *[f'"{realm}"' for realm in realms], *[0] * 152]
        return ",".join(str(cell) for cell in cells)

    write("oracle-sbc", "cdr202610", lines(row), 'format = "oracle-sbc"\ntrunks = "carrier"\n')


def grandstream():
    titles = ("Account Code,Caller Number,Callee Number,Context,CallerID,Source Channel,Dest Channel,Lastapp,Lastdata,Start Time,Answer Time,"
              "End Time,Call Time,Talk Time,Call Status,AMA Flags,UniqueID,Userfield,Dest Channel Extension,Caller Name\n")

    def row(call):
        a, b = channels(call, "PJSIP")
        context = "ext-did-0000000001" if call.way == "in" else "from-internal"
        cells = ["", call.a, call.b, context, f"Jo <{call.a}>", a, b, "Dial", b, call.setup.strftime(LOCAL)]
        cells += [call.answer.strftime(LOCAL) if call.answered else "", call.end.strftime(LOCAL), call.whole, call.talk]
        cells += ["ANSWERED" if call.answered else "NO ANSWER", "DOCUMENTATION", f"{call.epoch(call.setup)}.{call.n}", "", "", "Jo"]
        return ",".join(f'"{cell}"' for cell in cells)

    write("grandstream", "cdr.csv", titles + lines(row), 'format = "grandstream"\ntrunks = "PJSIP/trunk"\n')


def yeastar():
    titles = ("ID,Time,Call From,Call To,Call Duration,Ring Duration,Talk Duration,Status,Reason,Source Trunk,Destination Trunk,"
              "Communication Type,DID/DDI,Outbound Caller ID,Caller IP,PIN Code,Recording\n")

    def row(call):
        party = lambda text: f"Jo<{text}>" if len(text) == 4 else text
        kind = {"out": "Outbound", "in": "Inbound", "internal": "Internal"}[call.way]
        cells = [call.n, call.setup.strftime(LOCAL), party(call.a), party(call.b), call.whole, call.ring, call.talk,
                 "ANSWERED" if call.answered else "NO ANSWER", "", "Carrier" if call.way == "in" else "",
                 "Carrier" if call.way == "out" else "", kind, "", "", "192.0.2.7", "", ""]
        return ",".join(str(cell) for cell in cells)

    write("yeastar", "cdr.csv", titles + lines(row), 'format = "yeastar"\n')


def teams():
    names = ("id,callId,userId,userPrincipalName,userDisplayName,startDateTime,endDateTime,duration,charge,callType,currency,calleeNumber,"
             "usageCountryCode,tenantCountryCode,connectionCharge,callerNumber,destinationContext,destinationName,conferenceId,"
             "licenseCapability,inventoryType,operator,callDurationSource\n")

    def rows(call):
        if call.way == "internal" or not call.answered:
            return []  # never reaches the telephone network, or was not written
        iso = lambda moment: call.utc(moment, "%Y-%m-%dT%H:%M:%S.000Z")
        user = f"user{call.b if call.way == 'in' else call.a}@acme.example"
        cells = [f"id{call.n}", f"call{call.n}", "u", user, "Jo", iso(call.answer), iso(call.end), call.talk, "0.000",
                 "user_in" if call.way == "in" else "user_out", "GBP", call.to_public, "GB", "GB", "0.000", call.from_public, "Domestic",
                 "", "", "MCOPSTN2", "Subscriber", "", "microsoft"]
        return [",".join(str(cell) for cell in cells)]

    write("teams", "pstn.csv", names + lines(rows), 'format = "teams"\n')


def uk_wholesale():
    def rows(call):
        if call.way != "out" or not call.answered:
            return []  # a carrier writes what it charges for
        cells = [""] * 42
        local = call.answer.strftime
        for at, text in ((1, "V"), (3, "0" + call.from_public[3:]), (4, call.to_public), (5, local("%d/%m/%Y")), (6, local("%H:%M:%S")),
                         (7, str(call.talk)), (13, "0.0100"), (18, "SIPD"), (29, f"R{call.n}"), (30, "GBP")):
            cells[at - 1] = text
        return [",".join(f'"{cell}"' for cell in cells)]

    write("uk-wholesale", "20261031.csv", lines(rows), 'format = "uk-wholesale"\n')


TEMPLATE = """
[direction]
out = { way = ["out"] }
in = { way = ["in"] }
internal = { way = ["internal"] }

[rules]
answered_when = { disposition = ["yes"] }
unanswered_when = { disposition = ["no"] }
"""


def delimited():
    def row(call):
        cells = [call.n, call.setup.strftime("%d.%m.%Y"), call.setup.strftime("%H.%M.%S"), call.answer.strftime("%d.%m.%Y %H.%M.%S"), call.a,
                 call.b, hms(call.talk), "yes" if call.answered else "no", call.way]
        return ";".join(str(cell) for cell in cells)

    template = """kind = "delimited"
delimiter = ";"
header = "none"
width = 9

[fields]
id = 1
setup_date = 2
setup_time = 3
answer = 4
calling = 5
dialled = 6
talk = 7
disposition = 8

[columns]
way = 9

[times]
date = "DD.MM.YYYY"
time = "hh.mm.ss"
answer = "DD.MM.YYYY hh.mm.ss"

[durations]
format = "hh:mm:ss"
"""
    write("delimited", "calls.txt", lines(row), 'format = "delimited"\ntemplate = "template.toml"\n')
    (HERE / "delimited" / "template.toml").write_text(template + TEMPLATE)


def fixed():
    def row(call):
        return (f"{call.n:06}{call.setup.strftime('%Y%m%d%H%M%S')}{call.answer.strftime('%Y%m%d%H%M%S')}{call.a:>16}{call.b:<16}"
                f"{call.talk:07}{'yes' if call.answered else 'no ':3}{call.way:<8}")

    template = """kind = "fixed"

[fields]
id = "1-6"
setup = "7-20"
answer = "21-34"
calling = "35-50"
dialled = "51-66"
talk = "67-73"
disposition = "74-76"

[columns]
way = "77-84"

[times]
format = "YYYYMMDDhhmmss"
"""
    write("fixed", "calls.txt", lines(row), 'format = "fixed"\ntemplate = "template.toml"\n')
    (HERE / "fixed" / "template.toml").write_text(template + TEMPLATE)


for one in (asterisk, cucm, freeswitch, freeswitch_json, three_cx, broadworks, ip_office, mitel, opensips, kazoo, oracle,
            grandstream, yeastar, teams, uk_wholesale, delimited, fixed):
    one()
