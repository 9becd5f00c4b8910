--- frames.lua - HTTP/2 framing: reads and writes frames, and writes header blocks.

local HEADERS, CONTINUATION = 1, 9
local END_HEADERS = 4

local frames = { LARGEST = 16384 }

function frames.frame(kind, flags, id, payload)
  return string.pack(">I3 B B I4", #payload, kind, flags, id) .. payload
end

-- Headers out: always literal, never in the table, which HPACK allows --------

local function integer(value, prefix_bits)
  local limit = (1 << prefix_bits) - 1
  if value < limit then
    return string.char(value)
  end
  local bytes = { string.char(limit) }
  value = value - limit
  while value >= 128 do
    bytes[#bytes + 1] = string.char(value % 128 + 128)
    value = value // 128
  end
  return table.concat(bytes) .. string.char(value)
end

local function text(bytes)
  return integer(#bytes, 7) .. bytes
end

local function literal(name, value)
  return "\0" .. text(name) .. text(value)
end

function frames.has_no_body(status)
  return status < 200 or status == 204 or status == 304
end

local function header_block(reply)
  local block = { literal(":status", tostring(reply.status)) }
  for _, header in ipairs(reply.headers or {}) do
    block[#block + 1] = literal(header[1], header[2])
  end
  if not frames.has_no_body(reply.status) then
    block[#block + 1] = literal("content-length", tostring(reply.length or #reply.body))
  end
  return table.concat(block)
end

--- HEADERS and as many CONTINUATIONs as it takes.
function frames.headers(id, reply, flags)
  local block, parts = header_block(reply), {}
  for start = 1, #block, frames.LARGEST do
    local part = block:sub(start, start + frames.LARGEST - 1)
    local last = start + frames.LARGEST > #block and END_HEADERS or 0
    local kind = start == 1 and HEADERS or CONTINUATION
    parts[#parts + 1] = frames.frame(kind, last + (start == 1 and flags or 0), id, part)
  end
  return table.concat(parts)
end

--- Kind, flags, stream and payload of the next frame; nil at the end.
function frames.read(peer)
  local head = peer:read(9)
  if not head then
    return nil
  end
  local size, kind, flags, id = string.unpack(">I3 B B I4", head)
  local payload = size <= frames.LARGEST and peer:read(size)
  if payload then
    return kind, flags, id & 0x7fffffff, payload
  end
end

return frames
