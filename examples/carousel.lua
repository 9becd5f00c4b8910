-- Sends a carousel: a template message with cards to swipe through. Each card has an
-- image, a text and its own button.
--
--   export CONNECTLY_API_KEY=... CONNECTLY_BUSINESS_ID=...
--   lua examples/carousel.lua +16045550123
--
-- Without a key, the message goes to a local sandbox; start it first: `connectly sandbox`.
-- With your own key, use the name of one of your approved carousels, with as many cards as it has.

local connectly = require "connectly"

-- Your own program can pass { } to connectly.new: see environment.lua.
local options, number = dofile((arg[0]:match("^.*/") or "") .. "environment.lua")

local products = {
  { name = "Boots", image = "https://example.com/boots.jpg", link = "boots" },
  { name = "Coats", image = "https://example.com/coats.jpg", link = "coats" },
}

local cards = {}
for index, product in ipairs(products) do
  cards[index] = { header = { image = product.image }, body = { product.name }, buttons = { product.link } }
end

local client = connectly.new(options)

local id = client:send_template {
  number = number,
  template_name = "autumn_carousel",
  language = "en",
  body = { "Ana" },
  cards = cards,
}

print(("sent: %s, with %d cards"):format(id, #cards))
