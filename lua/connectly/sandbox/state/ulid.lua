--- Message ids in the form of the API: 10 characters of time in milliseconds and 16 random
--- characters, in Crockford's base 32. API: ULID.

local random_bytes = require("openssl.rand").bytes

local alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
local time_length, chance_length = 10, 16

local function symbol(digit)
  return alphabet:sub(digit + 1, digit + 1)
end

local function encode_time(milliseconds)
  local symbols = {}
  for position = time_length, 1, -1 do
    symbols[position] = symbol(math.floor(milliseconds % 32))
    milliseconds = math.floor(milliseconds / 32)
  end
  return table.concat(symbols)
end

local function encode_digits(digits)
  local symbols = {}
  for position, digit in ipairs(digits) do
    symbols[position] = symbol(digit)
  end
  return table.concat(symbols)
end

local function random_digits()
  local digits = {}
  for position, byte in ipairs({ random_bytes(chance_length):byte(1, -1) }) do
    digits[position] = byte % 32
  end
  return digits
end

--- Adds one; returns false on overflow.
local function increment(digits)
  for position = chance_length, 1, -1 do
    if digits[position] < 31 then
      digits[position] = digits[position] + 1
      return true
    end
    digits[position] = 0
  end
  return false
end

local ulid = {}

--- Returns a function that generates ids. They never repeat and always increase, even if the
--- given time stands still or goes backwards.
---@return fun(milliseconds: number): string
function ulid.source()
  local last_time, digits = -1, nil
  return function(milliseconds)
    milliseconds = math.floor(milliseconds)
    if milliseconds > last_time then
      last_time, digits = milliseconds, random_digits()
    elseif not increment(digits) then
      last_time = last_time + 1
    end
    return encode_time(last_time) .. encode_digits(digits)
  end
end

return ulid
