-- What is true of every event, whatever the body: the rules of webhook_fuzz.c.
-- `note(what)` makes libFuzzer keep an input that shows something new.

local note = ...
local connectly = require "connectly"
local webhook = require "connectly.webhook"

local hook = webhook.new { secrets = { "older-secret", "example-secret" } }
local KINDS = { status = true, message = true, button = true, report = true, unknown = true }
local TEXTS = { "topic", "from", "to", "id", "status", "text", "reply_to", "campaign_name" }
local OF_KIND = {
  status = { status = true, error = true, id = true },
  message = { id = true, text = true, attachments = true, referral = true, is_echo = true },
  button = { id = true, text = true, attachments = true, referral = true, button = true },
  report = { id = true, report = true },
  unknown = {},
}
local OF_EVERY_KIND = {
  kind = true, raw = true, body = true, topic = true, timestamp = true, from = true, to = true, callback_data = true,
  campaign_name = true, reply_to = true, customer = true,
}

--- Where nothing is escaped and no number has an exponent, a text stands in the
--- body as it is told; a status has one name of ours.
local function is_told_as_written(raw, value)
  return raw:find("\\", 1, true) or raw:find("%d[.eE]") or raw:find(value, 1, true) or value == "delivery_failed"
end

local function check_text(raw, name, value)
  assert(type(value) == "string" and value ~= "", name .. ": a text that says something")
  assert(is_told_as_written(raw, value), name .. ": as the body has it")
  note(name)
end

--- A table of texts, one of which may be such a table itself.
local function check_texts(raw, name, texts, inner)
  assert(type(texts) == "table", name .. ": a table")
  for key, value in pairs(texts) do
    if key == inner then
      check_texts(raw, key, value, "result")
    else
      check_text(raw, name .. "." .. key, value)
    end
  end
end

local function check_error(err)
  assert(connectly.is_error(err), "an error")
  assert(err.kind == "rejected" and err.outcome == "rejected", "what was not delivered was refused")
  assert(err.message ~= "" and not err.message:find("%c"), "one line")
  assert(not err.message:find("%d%d%d%d%d%d%d"), "a number in a message")
  assert(utf8.len(err.message), "UTF-8")
  assert(not tostring(err):find("%c"), "one line")
  for name in pairs(err) do
    note("error." .. name)
  end
end

--- Whether a status says why it was not delivered, as lua-cjson has it; nil: {} and
--- [] are the same to it. The library reads it in C.
local function says_why(body)
  local update = body.statusUpdate
  if update == nil or update == connectly.null then
    update = body.status_update
  end
  local why = type(update) == "table" and update.error or nil
  if type(why) == "table" and not next(why) then
    return nil
  end
  return why ~= nil and why ~= connectly.null and why ~= ""
end

--- A name that stands twice, perhaps with an escape, is nobody's to C.
local function has_names_once(raw)
  for _, name in ipairs { '"error"', '"statusUpdate"', '"status_update"' } do
    if select(2, raw:gsub(name, "")) > 1 then
      return false
    end
  end
  return not raw:find("\\", 1, true)
end

local function check_why(event, raw)
  local said = says_why(event.body)
  assert(event.error == nil or said ~= false, "an error that the body has")
  assert(event.error ~= nil or said ~= true or not has_names_once(raw), "the body's error")
end

local function check_parts(event, raw)
  for _, name in ipairs(TEXTS) do
    if event[name] ~= nil then
      check_text(raw, name, event[name])
    end
  end
  for _, attachment in ipairs(event.attachments or {}) do
    assert(next(attachment), "an attachment that says something")
    check_texts(raw, "attachment", attachment)
  end
  for _, name in ipairs { "customer", "button", "referral", "report" } do
    if event[name] ~= nil then
      check_texts(raw, name, event[name], "last_run")
    end
  end
end

local function check_names(event)
  local own = OF_KIND[event.kind]
  assert(own, "a known kind")
  for name, value in pairs(event) do
    assert(own[name] or OF_EVERY_KIND[name], name .. " of " .. event.kind)
    note(event.kind .. "." .. name .. " " .. type(value))
  end
  assert(event.kind ~= "status" or event.status, "a status has one")
  assert(event.is_echo == nil or event.is_echo == true, "an echo")
end

local function check_time(time)
  assert(time == nil or (type(time) == "number" and time - time == 0), "a time")
end

local function check_event(event, raw)
  assert(KINDS[event.kind] and event.raw == raw, "kind and raw")
  assert(event.body ~= nil or event.kind == "unknown", "nothing is known of what is no JSON")
  assert(event.body == nil or type(event.body) == "table", "a body")
  check_names(event)
  check_parts(event, raw)
  check_time(event.timestamp)
  if event.kind == "status" then
    check_why(event, raw)
  end
  if event.error ~= nil then
    check_error(event.error)
  end
end

--- `signature` is the body's; `other` is the body and `forged` the signature, each
--- with one bit changed.
return function(raw, signature, other, forged)
  assert(hook:verify(raw, signature), "a good signature")
  assert(raw == other or not hook:verify(other, signature), "another body")
  assert(not hook:verify(raw, forged), "another signature")
  hook:verify(raw, raw)
  check_event(hook:parse(raw), raw)
end
