"""Words a household says: names, rooms and things for the slots of the templates."""

from __future__ import annotations

__all__ = [
    "AREAS",
    "DAYS",
    "FLOORS",
    "ITEMS",
    "LANGUAGES",
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


DAYS = _split("monday, tuesday, wednesday, thursday, friday, saturday, sunday")

FLOORS = _split(
    "first, second, third, ground, top, upstairs, downstairs, basement, main, upper, lower"
)

LANGUAGES = _split("english, german, french, spanish, chinese, korean, italian, dutch, japanese")

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
