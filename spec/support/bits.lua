--- Flips single bits of strings.

local bits = {}

--- The text with one bit changed; bits count from 0.
---@param text string
---@param bit integer
---@return string
function bits.flip(text, bit)
  local at = math.floor(bit / 8) + 1
  local byte, value = text:byte(at), 2 ^ (bit % 8)
  local is_set = math.floor(byte / value) % 2 == 1
  return text:sub(1, at - 1) .. string.char(byte + (is_set and -value or value)) .. text:sub(at + 1)
end

return bits
