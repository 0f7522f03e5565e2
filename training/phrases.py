"""Words a household says: names, rooms and things for the slots of the templates."""

from __future__ import annotations

__all__ = [
    "AREAS",
    "COLORS",
    "FLOORS",
    "GENERAL",
    "ITEMS",
    "MEDIA",
    "NAMES",
    "PEOPLE",
    "PLACES",
    "PREFIXES",
    "SUFFIXES",
    "TASKS",
]


def _split(text: str) -> tuple[str, ...]:
    return tuple(" ".join(part.split()) for part in text.split(",") if part.strip())


AREAS = _split("""
    kitchen, living room, bedroom, bathroom, garage, office, hallway, basement, attic, dining
    room, guest room, nursery, laundry room, patio, backyard, front yard, porch, studio, kids
    room, master bedroom, entrance, stairs, balcony, workshop, den, closet, pantry, playroom,
    garden, driveway, upstairs hallway, downstairs bathroom, cellar, library, sunroom, terrace,
    shed, greenhouse, gym, utility room, family room, spare room, corridor, foyer, mudroom,
    loft, conservatory, toilet, pool, deck, lounge, study, main bathroom, guest bathroom, home
    theater, media room, barn""")

COLORS = _split("""
    red, blue, green, yellow, white, orange, purple, pink, turquoise, violet, warm white,
    cold white""")

FLOORS = _split(
    "first, second, third, ground, top, upstairs, downstairs, basement, main, upper, lower"
)

NAMES = _split("""
    ceiling light, desk lamp, floor lamp, bedside lamp, night light, reading light, coffee
    maker, television, tv, front door, back door, garage door, thermostat, heater, fan, ceiling
    fan, air conditioner, humidifier, dehumidifier, vacuum, robot vacuum, washing machine,
    dryer, dishwasher, oven, fridge, speaker, radio, blinds, curtains, shutters, window,
    windows, gate, lock, sprinkler, sprinklers, alarm, doorbell, camera, outlet, plug, switch,
    christmas tree, led strip, lamp, chandelier, string lights, porch light, kettle, toaster,
    computer, printer, router, aquarium, fireplace, water heater, pool pump, hot tub, projector,
    soundbar, movie scene, bedtime, good night, party mode, outdoor lights, counter light, sink
    light, island lights, mirror light, closet light, stair lights, lights, light, lava lamp,
    table lamp, wall light, spotlight, spotlights, flood light, strip lights, sliding door,
    patio door, side door, cellar door, roller shutter, skylight, roof window, left curtain,
    right curtain, left blind, awning, air purifier, freezer, microwave, stove, rice cooker,
    espresso machine, boiler, radiator, underfloor heating, electric blanket, towel warmer,
    garden hose, irrigation, pond pump, car charger, ev charger, solar panels, battery, motion
    sensor, smoke detector, water leak sensor, carbon monoxide detector, phone, tablet, laptop,
    monitor, server, game console, media player, stereo, record player, bedroom tv, kitchen
    speaker, baby monitor, mower, robot mower, movie night, good morning, away mode, vacation
    mode, reading mode, dinner time, romantic scene, focus scene, overhead light, hall light,
    pendant light, vanity lights, track lights, under cabinet lights, fairy lights, standing
    lamp, hue lamp, desk fan, window fan, exhaust fan, extractor fan, bathroom fan, tower fan,
    space heater""")

PEOPLE = _split("""
    alice, bob, carol, david, emma, frank, grace, henry, isabel, jack, kate, liam, mary, nathan,
    olivia, paul, quinn, rachel, sam, tom, uma, victor, wendy, xavier, yvonne, zoe, mom, dad,
    grandma, grandpa, anna, ben, chris, daniel, elena, george, hannah, james, john, julia, lisa,
    lucas, maria, michael, peter, sarah, sophie, steve, thomas""")

PLACES = _split("""
    home, work, school, the office, the gym, london, paris, new york, berlin, chicago, boston,
    seattle, amsterdam, rome, madrid, tokyo, sydney, toronto, dublin, the airport, the station,
    the supermarket, vienna, texas, california""")

ITEMS = _split("""
    milk, eggs, bread, cheese, apples, bananas, coffee, tea, butter, chicken, rice, pasta,
    tomatoes, onions, potatoes, toilet paper, paper towels, dish soap, laundry detergent,
    shampoo, toothpaste, orange juice, olive oil, salt, sugar, flour, yogurt, cereal, ice cream,
    chocolate, carrots, lettuce, garlic, salmon, ground beef, bacon, honey, jam, batteries,
    light bulbs, cat food, dog food, trash bags, sparkling water, beer, red wine, cookies,
    peanut butter, a dozen eggs, two bottles of water, oat milk, soy milk, brown sugar, maple
    syrup, lemons, avocados, mushrooms""")

TASKS = _split("""
    call the plumber, water the plants, take out the trash, pay the bills, walk the dog, clean
    the kitchen, buy flowers, do the laundry, book a table, pick up the kids, wash the car, feed
    the cat, renew the passport, send the letter, fix the bike, change the filter, check the
    mail, pack the suitcase, finish the report, call grandma, do homework, mow the lawn, order
    pizza, charge the phone, make an appointment, return the books, dinner is ready, time for
    bed""")

MEDIA = _split("""
    jazz, rock music, classical music, the news, the radio, my playlist, some music, relaxing
    music, christmas songs, the beatles, queen, mozart, bach, hip hop, country music, dance
    music, an audiobook, a podcast, the weather report, white noise, rain sounds, disco, the
    blues, pop music, party music, lullabies, heavy metal, folk songs, techno""")

PREFIXES = _split("""
    please, can you, could you, would you, could you please, can you please, hey, okay, now, i
    want you to, i would like you to, i'd like to, hey can you, go ahead and, will you, i need
    you to, let's, just""")

SUFFIXES = _split(
    "please, now, thanks, thank you, right now, for me, again, at once, today, if you can"
)

GENERAL = _split("""
    play {media}, play {media} in the {area}, play {media} on the {area} speaker, stop the
    music, next song, pause, resume, skip this song, previous track, turn it up, turn it down,
    make it louder, what's the weather like, what's the weather tomorrow, will it rain today, is
    it going to snow in {place}, what's the weather in {place}, how cold is it outside, what
    time is it, what's the date today, what day is it, when is sunset, where is {person}, is
    {person} home, is {person} at {place}, call {person}, tell {person} that {task}, remind me
    to {task}, remind me to {task} at {number}, wake me up at {number}, set an alarm for
    {number} thirty, set an alarm for {number} o'clock, cancel the alarm, snooze, set a timer
    for {number} minutes, set a {number} minute timer, set a timer for {number} hours and
    {number} minutes, how much time is left, cancel my timer, add {item} to my shopping list,
    add {item} and {item} to the list, put {item} on the list, what's on my shopping list,
    remove {item} from the list, i'm home, i'm leaving, good night, good morning, it's too cold
    in here, it's too dark, i can't see anything in the {area}, it's too bright in the {area},
    is the {name} on, is the {name} closed, is the {name} locked, did i leave the {name} on,
    turn everything off, turn off all the lights, turn on the lights, lights on, lights off,
    turn the {name} off in {number} minutes, {name} on, {name} off, {area} lights on, {area}
    lights off, dim the {name}, dim the {area} lights to {number} percent, brighten the {area},
    make the {area} {color}, set the {name} to {color}, change the {area} lights to {color},
    open the {area} blinds, close the {area} curtains, lock the doors, unlock the {name}, arm
    the alarm, start the {name}, stop the {name}, run the {name}, activate {name}, turn on
    {name}, send the vacuum home, clean the {area}, what's the temperature in the {area}, what
    is the humidity in the {area}, set the temperature to {number} degrees, set the thermostat
    to {number}, make it warmer, make it cooler in the {area}, turn up the heat, turn the volume
    up, volume {number} percent, mute the tv, how many lights are on, which windows are open,
    what's the state of the {name}, broadcast {task}, announce that {task}, never mind, cancel,
    stop, yes, no, okay, help, thank you, hello, repeat that, what did you say, turn off the
    {name} and the {name}, turn on the {name} and close the {name}, switch on the {name} in the
    {area}, switch off the {area} {name}, i want a {color} light in the {area}, can i get {item}
    and {item}, i would like {item} with {item}, make me {item} please, how long until {task},
    who is at the front door, show me the {name}, find my {name}""")
