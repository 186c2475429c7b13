// What moves on its own, keys, and forms without a full reload. Every page is whole without it.
