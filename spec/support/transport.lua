--- Shared by the transport_*_spec.lua files: messages that the fault server can tell apart, the
--- ways to send many of them, and the rules by which every result is judged.
---
---   local results = transport.send(client, "start", 1, 64)
---   local counts = transport.judge(results, server:last_tally())
---
--- A number identifies a message. It is in the callback_data, which is in the body, and in the
--- traceparent, which is in the head, so that the server also counts messages that arrived in part.

local cqueues = require "cqueues"
local faults = require "spec.support.faults"
local safe = require "connectly.safe"

local transport = {}

transport.clock = cqueues.monotime

--- Ports of the fault server by protocol.
transport.PORTS = { ["HTTP/1.1"] = "http", ["TLS, HTTP/1.1"] = "https1", ["HTTP/2"] = "https" }

--- In the caller's thread; each call in the background; send_many in the background.
transport.MODES = { "inline", "start", "worker" }

--- Calls `define(port, mode, title)` for each, e.g. with a title of "HTTP/2, inline".
---@param protocols string[]
---@param modes string[]
---@param define fun(port: string, mode: string, title: string)
function transport.each(protocols, modes, define)
  for _, protocol in ipairs(protocols) do
    for _, mode in ipairs(modes) do
      define(transport.PORTS[protocol], mode, protocol .. ", " .. mode)
    end
  end
end

local function traceparent(number)
  return ("00-%032x-%016x-01"):format(number, number)
end

--- A body of about `size` bytes. A variable has at most 1,000 of them.
local function variables(size)
  local list = {}
  while size > 0 do
    list[#list + 1] = ("x"):rep(math.min(size, 1000))
    size = size - 1000
  end
  return list
end

---@param number integer
---@param size integer? bytes of variables; none unless given
---@return table message of send_template
function transport.message(number, size)
  return {
    number = "+14155550123", template_name = "x", language = "en", callback_data = tostring(number),
    traceparent = traceparent(number), body = size and variables(size) or nil,
  }
end

local opened = {}

local function open(options, changes)
  for name, value in pairs(changes or {}) do
    options[name] = value
  end
  local client = assert(safe.new(options))
  opened[#opened + 1] = client
  return client
end

--- Closes all clients, also those of a test that failed.
function transport.close()
  for _, client in ipairs(opened) do
    client:close(0)
  end
  opened = {}
end

--- A fault server for a `describe`, after each of whose tests all clients are closed.
---@return table server
function transport.serve()
  require("busted").after_each(transport.close)
  return faults.serve()
end

--- A client of the safe face whose rate is no limit, unless `changes` say so.
---@param server table
---@param port string
---@param behaviour string
---@param changes table?
---@return table client
function transport.client(server, port, behaviour, changes)
  return open({
    api_key = "key", business_id = behaviour, base_url = server:url(port), ca_file = server.ca_file, timeout = 10,
    max_attempts = 1, rate = 100000,
  }, changes)
end

--- A client with the default options, but for `changes`.
function transport.default_client(server, port, behaviour, changes)
  return open({
    api_key = "key", business_id = behaviour, base_url = server:url(port), ca_file = server.ca_file,
  }, changes)
end

local function record(results, number, id, second)
  local result = results[number]
  result.id, result.ended = id, transport.clock()
  result[id ~= nil and "info" or "error"] = second
end

local function send_many(client, results, first, count, options)
  local sent = 0
  local function source()
    if sent == count then
      return nil
    end
    sent = sent + 1
    results[first + sent - 1] = { began = transport.clock() }
    return transport.message(first + sent - 1, options.size)
  end
  for result in client:send_many(source, { in_flight = options.in_flight }) do
    record(results, first + result.index - 1, result.id, result.error or result.info)
    if options.on_result then
      options.on_result(first + result.index - 1, results[first + result.index - 1])
    end
  end
end

local function start_all(client, results, first, count, options)
  local calls = {}
  for number = first, first + count - 1 do
    results[number] = { began = transport.clock() }
    local call, err = client:start("send_template", transport.message(number, options.size))
    if call then
      calls[number] = call
    else
      record(results, number, nil, err)
    end
  end
  return calls
end

-- A client takes about a thousand calls before they are waited for.
local MOST_STARTED = 500

-- Longer than any timeout that a spec gives its client.
local PATIENCE = 60

local function wait_all(calls, results, first, count)
  for number = first, first + count - 1 do
    if calls[number] then
      record(results, number, calls[number]:wait(PATIENCE))
    end
  end
end

local function begin_worker(client)
  assert(client:start("request", { method = "GET", path = "/nothing" })):wait(PATIENCE)
end

--- Sends messages `first`, `first + 1`, ... and returns what became of each by number:
--- { id, info, error, began, ended }. With "worker" the client must have been prepared.
---@param client table
---@param mode "inline"|"start"|"worker"
---@param first integer
---@param count integer
---@param options { size: integer?, in_flight: integer?, on_result: function? }?
---@return table<integer, table>
function transport.send(client, mode, first, count, options)
  local results = {}
  options = options or {}
  if mode == "start" then
    for from = first, first + count - 1, MOST_STARTED do
      local some = math.min(MOST_STARTED, first + count - from)
      wait_all(start_all(client, results, from, some, options), results, from, some)
    end
  else
    send_many(client, results, first, count, options)
  end
  return results
end

--- Starts the thread of a client, which then takes part in all that follows.
function transport.prepare(client, mode)
  if mode == "worker" then
    begin_worker(client)
  end
end

--- One message after the other.
function transport.send_each(client, mode, first, count, options)
  local results = {}
  for number = first, first + count - 1 do
    results[number] = { began = transport.clock() }
    local message = transport.message(number, options and options.size)
    if mode == "inline" then
      record(results, number, client:send_template(message))
    else
      record(results, number, assert(client:start("send_template", message)):wait(PATIENCE))
    end
  end
  return results
end

--- All the results in one table.
function transport.join(...)
  local all = {}
  for _, results in ipairs { ... } do
    for number, result in pairs(results) do
      all[number] = result
    end
  end
  return all
end

-- Judging ------------------------------------------------------------------------

--- What is wrong with the text of an error, or nil.
local function wrong_in_text(err)
  local text = tostring(err)
  local function says(part) return text:find(part, 1, true) end
  if says("Connection died, tried") then
    return "nothing was tried again"
  elseif says("begun to leave")
    and (err.outcome == "not_sent" or says("connect to") or says("before the request left")) then
    return "the text contradicts itself"
  end
end

local function describe(key, result, tally)
  return ("message %s, of which %d heads and %d wholes came: %s"):format(key,
    tally.begun[key] or 0, tally.by_key[key] or 0, result.id and "success" or tostring(result.error))
end

local function wrong_in_result(key, result, tally)
  local whole, begun, touched = tally.accepted[key] or 0, tally.begun[key] or 0, tally.touched[key] or 0
  local attempts = (result.info or result.error).attempts or 0
  if whole > 1 then
    return "twice"
  elseif result.id and whole ~= 1 then
    return "false success"
  elseif result.error and result.error.outcome == "not_sent" and touched > 0 then
    return "false not_sent"
  elseif begun > attempts then
    return "more often than its attempts"
  end
  return result.error and wrong_in_text(result.error)
end

--- What is wrong with a result, if anything: one of a few phrases, and the details.
---@param number integer
---@param result table
---@param tally table
---@return string? wrong
---@return string? details
function transport.fault_of(number, result, tally)
  local key = tostring(number)
  local wrong = wrong_in_result(key, result, tally)
  if wrong then
    return wrong, describe(key, result, tally)
  end
end

--- "success", or the outcome of its error.
function transport.outcome_of(result)
  return result.id and "success" or result.error.outcome
end

--- Judges each result by the server's tally, and counts the outcomes.
---@param results table<integer, table>
---@param tally table
---@return { success: integer, not_sent: integer, rejected: integer, unknown: integer }
function transport.judge(results, tally)
  local counts = { success = 0, not_sent = 0, rejected = 0, unknown = 0 }
  for number, result in pairs(results) do
    local wrong, details = transport.fault_of(number, result, tally)
    assert(not wrong, wrong and wrong .. ": " .. details)
    local outcome = transport.outcome_of(result)
    counts[outcome] = counts[outcome] + 1
  end
  return counts
end

--- The first error of these results, for a failure to show.
function transport.sample(results, outcome)
  for number, result in pairs(results) do
    if result.error and (not outcome or result.error.outcome == outcome) then
      return ("message %d: %s"):format(number, tostring(result.error))
    end
  end
  return "no such result"
end

--- Every one of them succeeded, at the first attempt unless `attempts` says otherwise.
function transport.all_succeeded(results, attempts)
  for number, result in pairs(results) do
    assert(result.id, result.error and ("message %d: %s"):format(number, tostring(result.error)))
    assert(result.info.attempts <= (attempts or 1), ("message %d: %d attempts"):format(number, result.info.attempts))
  end
end

return transport
