--- The script whose cold start is measured: sends one message and prints its id.
---
---   lua send_one.lua BASE_URL [directory of certificates]

local connectly = require "connectly"

local client = connectly.new {
  api_key = "key", business_id = "business", base_url = arg[1], ca_path = arg[2],
}

print((client:send_template {
  number = "+16044441234", template_name = "order_confirmation", language = "en",
  header = { image = "https://cdn.example.com/images/orders/confirmation-1.jpg" },
  body = { "John", "Order #98765" }, buttons = { "track/98765" },
}))
