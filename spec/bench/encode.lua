--- How long it takes to encode a message, from the caller's Lua table to JSON.
---
--- Measured: CPU time of this library's encoder, checks included, relative to lua-cjson (a
--- separate codec with default settings, which keep its buffer) on the same table in wire
--- form. The goal applies to the encoding that a send does, from the table to the bytes in the
--- client's buffer: encode_probe.c, linked with the module's own objects, does only that.
--- Also shown: client:dry_run, which makes a Lua string of the bytes as lua-cjson does, and
--- the same message in this library's own form, relative to lua-cjson on the wire form.
---
--- Method: 64 different messages, encoded in turn, in rounds that alternate between the
--- encoders. Reported are medians, and the median of the per-round ratios. The benchmark first
--- checks that all outputs decode to the same value.
---
--- Goal: at most 0.70 of lua-cjson's time for the same table, for a template message of the
--- usual size. The carousel, whose parameter names are long and have many parts, is shown for
--- orientation: its ratio is between 0.70 and 0.77.
---
---   LUA_PATH="lua/?.lua;lua/?/init.lua;?.lua;;" LUA_CPATH="build/5.4/?.so;;" lua5.4 spec/bench/encode.lua

local cjson = require "cjson"
local connectly = require "connectly"
local measure = require "spec.bench.measure"
local messages = require "spec.bench.messages"
local probe = require "encode_probe"

local GOAL = 0.70
local SEEDS = 64 -- a power of two
local ROUNDS, COUNT = 61, 1280

local options = { api_key = "key", business_id = "business" }
local client = connectly.new(options)
local codec = cjson.new()
local encode_cjson = codec.encode

local function equal(one, other)
  if type(one) ~= "table" or type(other) ~= "table" then
    return one == other
  end
  for key, value in pairs(one) do
    if not equal(value, other[key]) then
      return false
    end
  end
  for key in pairs(other) do
    if one[key] == nil then
      return false
    end
  end
  return true
end

local function samples_of(make)
  local wire, friendly = {}, {}
  for seed = 1, SEEDS do
    wire[seed], friendly[seed] = make(seed)
  end
  return wire, friendly
end

--- Each encoder of a kind of message: its name, and what it makes of number n.
local function contenders(wire, friendly, goal)
  local function pick(list, turn)
    return list[turn % SEEDS + 1]
  end
  local op, encode, text = "send_template", probe.encode, probe.text
  return {
    { "lua-cjson", function(turn) return (encode_cjson(pick(wire, turn))) end },
    { "encode for sending, same table", function(turn) return encode(pick(wire, turn)) end, goal, text },
    { "client:dry_run, same table", function(turn) return (client:dry_run(op, pick(wire, turn))) end },
    { "encode for sending, own form", function(turn) return encode(pick(friendly, turn)) end, nil, text },
    { "client:dry_run, own form", function(turn) return (client:dry_run(op, pick(friendly, turn))) end },
  }
end

local function verify(name, all)
  for turn = 1, SEEDS do
    local expected = cjson.decode(all[1][2](turn))
    for index = 2, #all do
      local result = all[index][2](turn)
      local text = all[index][4] and all[index][4]() or result
      assert(equal(expected, cjson.decode(text)), name .. ": " .. all[index][1] .. " differs: " .. text)
    end
  end
end

local function compare(name, make, goal)
  local wire, friendly = samples_of(make)
  local all = contenders(wire, friendly, goal)
  verify(name, all)
  local actions = {}
  for index, contender in ipairs(all) do
    actions[index] = contender[2]
  end
  local seconds = measure.interleaved(actions, { rounds = ROUNDS, count = COUNT })
  print(("%s, %d bytes of JSON"):format(name, #actions[1](1)))
  for index, contender in ipairs(all) do
    local time = ("%.2f µs"):format(measure.quantile(seconds[index]) * 1e6)
    measure.print_line(contender[1], time, measure.ratio(seconds[index], seconds[1]), contender[3])
  end
end

print(("encode, %s; the ratio is to lua-cjson on the wire form"):format(rawget(_G, "jit") and jit.version or _VERSION))
compare("template", messages.order, GOAL)
compare("carousel", messages.carousel)
client:close()
