--- http2_connections.lua - faults of a whole HTTP/2 connection; rows of the table of connections
--- described in behaviours.lua.
---
--- A row has stage "preface" and any of these fields, which http2.lua reads:
---   keeps_window  keep flow control at the protocol's default: 65,535 bytes per connection
---   most_streams  SETTINGS_MAX_CONCURRENT_STREAMS of the first SETTINGS; more are refused
---   request       function(stream) -> a behaviour that replaces that of its path, or nil
---   on_stream     function(connection, stream), called when a stream has begun
---   on_reply      function(connection, stream), called when a stream has been answered

local cqueues = require "cqueues"

-- Prefix of a name -> function(number) -> row.
local families = {}

local function row(made)
  made.stage, made.only = "preface", "http2"
  return made
end

-- GOAWAY after so many streams, which are answered. Streams that the client began
-- meanwhile are above the last one that the GOAWAY names, and nothing is done with them.
families["goaway-after"] = function(count)
  return row { on_stream = function(connection, stream)
    if connection.requests == count then
      connection:retire(stream.id)
    end
  end }
end

local silent = { run = function() end }

-- The same by a close alone: so many streams are answered, and the connection ends.
families["hangup-after"] = function(count)
  return row {
    request = function(stream) return stream.number > count and silent or nil end,
    on_reply = function(connection)
      connection.answered = (connection.answered or 0) + 1
      if connection.answered == count then
        connection:close()
      end
    end,
  }
end

-- So many streams at a time, from the greeting on.
families["streams"] = function(count)
  return row { most_streams = count }
end

-- So many at a time, as the client learns with the first reply.
families["streams-later"] = function(count)
  return row { on_reply = function(connection)
    if not connection.most_streams then
      connection:limit_streams(count)
    end
  end }
end

local LONGEST_STALL = 20 -- seconds

-- With the head of the n-th stream the connection stops reading until the test says that
-- it may go on.
families["stall-at"] = function(count)
  return row { on_stream = function(connection)
    if connection.requests == count then
      connection.server.ledger:wait_for_resume(LONGEST_STALL)
    end
  end }
end

-- So long without another byte, the client has sent all that the windows let it.
local QUIET = 0.1

--- Ends the connection as soon as the client has nothing more to say.
local function end_when_quiet(connection, end_it)
  cqueues.running():wrap(function()
    local before
    repeat
      before = connection.received
      cqueues.sleep(QUIET)
    until connection.ending or connection.received == before
    end_it(connection)
  end)
end

--- The windows are never enlarged. The first `count` streams are answered, and when the
--- client has sent what the windows allow, the connection ends without another answer.
local function window_ends(end_it)
  return function(count)
    return row {
      keeps_window = true,
      request = function(stream) return stream.number > count and silent or nil end,
      on_stream = function(connection, stream)
        connection.newest = stream.id
        if stream.number == count + 1 then
          end_when_quiet(connection, end_it)
        end
      end,
    }
  end
end

families["window-close"] = window_ends(function(connection) connection:close() end)

families["window-goaway"] = window_ends(function(connection)
  connection:goaway(connection.newest, 0)
  connection:close()
end)

families["window-reset"] = window_ends(function(connection) connection:reset() end)

return families
