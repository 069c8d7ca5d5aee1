"""What the invented cases are about, in the words that people might use. `{name}` is the mentee."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Theme:
    """One child's reason for a mentor, and what the sessions were like."""

    reasons: tuple[str, ...]
    words: str
    purpose: str
    sessions: tuple[tuple[str, str], ...]
    wishes: str
    outcome: str
    closing: str


FRIENDS: Final = Theme(
    ("friendships",),
    "{name} is new here and eats lunch alone most days. Would like to know how others found friends.",
    "Find two people to sit with at lunch, and one club to try.",
    (
        ("Getting to know each other", "We talked about football and {name}'s old school. Quiet at first."),
        ("Lunchtimes", "We went round the clubs list. {name} picked Games Club and I said I'd come along."),
        ("Games Club", "Went to Games Club together. {name} played chess with two others from the form."),
        ("What to say first", "Practised ways to join in. {name} laughed at my bad jokes: a good sign."),
        ("A better fortnight", "{name} sat with the chess people three times. Still finds the canteen loud."),
        ("Looking back", "{name} has been to a birthday party. Says lunch is fine now."),
    ),
    "Happy to stop. Would like to say hello in the corridor.",
    "Purpose reached",
    "{name} has people to sit with and goes to Games Club by choice. Knows how to come back.",
)
ATTENDANCE: Final = Theme(
    ("attendance",),
    "{name} misses most Mondays. Home is supportive. A friendly face on Mondays might help.",
    "Be here on Mondays: meet at the gate, and talk about what makes Mondays hard.",
    (
        ("Mondays", "{name} says the bus is the worst part. We agreed to meet at the gate."),
        ("The bus", "Two Mondays out of two. {name} sits downstairs near the driver now."),
        ("Maths first thing", "{name} worries about maths after a weekend. We did the homework together."),
        ("Sleep", "Talked about phones at night. {name} is going to charge it in the kitchen."),
        ("A good run", "Five Mondays in a row. {name} got a postcard home and pretended not to care."),
        ("Keeping it going", "We made a plan for the week after the holidays, when it will be harder."),
    ),
    "Would like one more after the holidays if that is allowed.",
    "Attendance improved",
    "Present on nine of the last ten Mondays. The form tutor will keep an eye on it.",
)
SETTLING: Final = Theme(
    ("settling in", "confidence"),
    "{name} finds the building confusing and gets upset when late. Asked for somebody to show the way.",
    "Know the way round, and what to do when lost or late.",
    (
        ("A walk round", "Walked the whole timetable. {name} drew a map."),
        ("Being late", "{name} was late twice and told the teacher why. Nobody shouted."),
        ("Lockers", "We sorted the locker, which was the real problem: it was stuck."),
        ("Asking for help", "Made a list of three adults whom {name} can ask. Office, form tutor, library."),
        ("Without the map", "{name} showed me a short cut that I didn't know."),
        ("Last one", "{name} is going to show the new pupil round."),
    ),
    "Doesn't need more. Would like to be a mentor one day.",
    "Purpose reached",
    "{name} gets about without help and has asked about becoming a mentor.",
)
FALLING_OUT: Final = Theme(
    ("friendships", "bullying"),
    "{name} fell out with some friends, and there were messages. The head of year has dealt with those; "
    "{name} now needs somebody to talk to.",
    "Get through the day without the old group, and decide what to do about the group chat.",
    (
        ("What happened", "{name} told me about the falling-out. I mostly listened."),
        ("The group chat", "{name} left the chat. Felt lonely, then better."),
        ("Who is kind", "We listed people who have been kind lately. It was longer than {name} thought."),
        ("A bump", "One of the old group said something in PE. {name} told the teacher straight away."),
        ("New seat", "The form tutor moved the seats. {name} sits with two people from the list."),
        ("How it is now", "Some of the old group are civil again. {name} isn't in a hurry."),
    ),
    "Would like to know that it's possible to come back.",
    "Things are calmer",
    "No incidents for a month. {name} knows whom to tell, and can come back.",
)
ORGANISING: Final = Theme(
    ("under-achievement", "organisation"),
    "{name} is bright and loses everything: homework, PE kit, planner. Detentions are piling up.",
    "A way to remember homework and kit that {name} will really use.",
    (
        ("The bag", "Emptied the bag. Found three letters home from September and a fork."),
        ("A plan", "{name} chose a colour for each subject. We stuck a timetable in the locker."),
        ("Kit days", "PE kit remembered twice. Homework handed in late once, which is better."),
        ("Ten minutes", "We tried ten minutes of packing each evening. {name} sets an alarm."),
        ("No detentions", "A fortnight without a detention. {name} is proud of it."),
        ("On your own", "{name} ran the session and told me what is due this week."),
    ),
    "Fine to stop. Might ask before the exams.",
    "Purpose reached",
    "One detention in six weeks instead of two a week. {name} keeps the planner alone.",
)
CONFIDENCE: Final = Theme(
    ("confidence", "self-esteem"),
    "{name} never speaks in lessons and told the tutor about being afraid of getting it wrong.",
    "Say one thing in one lesson each week.",
    (
        ("What is scary", "{name} said reading aloud is the worst. I said it was the same for me."),
        ("One answer", "{name} answered a question in science. It was right."),
        ("Drama", "We read a scene together in the empty drama room."),
        ("Wrong is fine", "{name} got one wrong in French and nothing happened."),
        ("Reading aloud", "{name} read a paragraph in English and the teacher wrote home."),
        ("Assembly", "{name} is going to hold the microphone for the tutor group assembly."),
    ),
    "Would like three more, up to the assembly.",
    "Growing in confidence",
    "{name} speaks in most lessons and took part in an assembly.",
)
FAMILY_CHANGE: Final = Theme(
    ("change at home",),
    "There is a new baby at home and {name} is tired and cross. Mum asked whether somebody could listen.",
    "Have half an hour a fortnight that is only about {name}.",
    (
        ("Hello", "{name} talked about the baby crying. We played cards."),
        ("Homework at home", "{name} does homework in the library now: it's quiet there."),
        ("Cards again", "{name} beat me twice. Said it's nice to be somebody's first choice."),
        ("A day out", "{name} had a day out with mum, without the baby."),
        ("Being cross", "We talked about what to do when cross: walk round the field, then talk."),
        ("The baby smiles", "{name} showed me a picture. Things are easier."),
    ),
    "Would miss the cards, but fine.",
    "Things are easier at home",
    "Mum says that {name} is sleeping and smiling. The library habit stays.",
)
NEW_TO_ENGLISH: Final = Theme(
    ("settling in", "language"),
    "{name} is new to this country. Understands a lot, says little. Would like to talk with somebody older "
    "who has been through the same.",
    "Speak English with one person without being marked.",
    (
        ("Favourite things", "We drew and named things. {name} knows more words than people think."),
        ("Food", "Talked about food from home. {name} taught me three words."),
        ("Science words", "Went through the science list. {name} made cards."),
        ("On the phone", "Practised asking for things at the office. {name} did it for real after."),
        ("A joke", "{name} made a joke in English. I didn't get it, then I did."),
        ("A film", "{name} told me a whole film, with all the voices."),
    ),
    "Wants to go on if there is somebody.",
    "Speaking with confidence",
    "{name} talks with several people now, and has joined the science club.",
)
MORE: Final = (
    ("Picking up again", "Two weeks since the review. {name} had kept going, with one wobble."),
    ("The wobble", "{name} told me what went wrong and what helped. Mostly the second."),
    ("Nearly there", "Short one today: {name} had a rehearsal. We said what is left to do."),
    ("On the way", "{name} walked me through the week. Only one thing to practise now."),
    ("Thank you", "{name} made a card. I said that I had learned a lot as well."),
)
"""What extended cases are about, after the six sessions of their theme."""
