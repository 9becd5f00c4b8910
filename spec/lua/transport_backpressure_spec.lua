-- The server stops reading and the kernel takes no more: bytes of a request wait in
-- libcurl when its call is canceled or runs out of time. Later the server reads what
-- there is, and none of it was said to be not sent.

local cqueues = require "cqueues"
local transport = require "spec.support.transport"

local COUNT, SIZE = 60, 4000

-- By then what can leave has left.
local BEFORE_CANCEL, TIMEOUT = 0.2, 0.6

-- Over HTTP/1.1 each request has a connection of its own, which it must fill alone.
local LARGE = 300000

describe("a server that does not read", function()
  local server = transport.serve()

  --- A client whose connection is open, and stalls at the next request.
  local function new(mode, changes)
    server:arm("stall-at-3", 1)
    local client = transport.client(server, "narrow_https", "slow-20", changes)
    transport.prepare(client, mode)
    transport.all_succeeded(transport.send_each(client, mode, 901, mode == "worker" and 1 or 2))
    return client
  end

  local function record(results, number, id, second)
    results[number] = { id = id, [id ~= nil and "info" or "error"] = second }
  end

  --- Starts them all, cancels those with an odd number, and waits for all.
  local function cancel_half(client, count, start)
    local calls, results = {}, {}
    for number = 1, count do
      calls[number] = assert(start(client, number))
    end
    cqueues.sleep(BEFORE_CANCEL)
    for number = 1, count, 2 do
      calls[number]:cancel()
    end
    for number = 1, count, 2 do
      record(results, number, calls[number]:wait(20))
    end
    server:resume()
    for number = 2, count, 2 do
      record(results, number, calls[number]:wait(20))
    end
    return results
  end

  --- Counts of outcomes, after the server has read what there is.
  local function close_and_judge(client, results)
    server:resume()
    client:close()
    return transport.judge(results, server:last_tally())
  end

  local function start_template(client, number)
    return client:start("send_template", transport.message(number, SIZE))
  end

  local function start_large(client, number)
    local message = { method = "POST", path = "/send/messages", traceparent = transport.message(number).traceparent }
    message.body = { callbackData = tostring(number), filler = ("x"):rep(LARGE) }
    return client:start("request", message)
  end

  it("leaves in doubt what is canceled: HTTP/2", function()
    local client = new("start")
    local results = cancel_half(client, COUNT, start_template)
    local counts = close_and_judge(client, results)
    assert(counts.unknown > 0 and counts.success > 0)
  end)

  for _, port in ipairs { "narrow_http", "narrow_https1" } do
    it("leaves in doubt what is canceled: HTTP/1.1, " .. port, function()
      local client = transport.client(server, port, "stall-20")
      local results = cancel_half(client, 12, start_large)
      local counts = close_and_judge(client, results)
      assert(counts.unknown > 0 and counts.success > 0)
    end)

    it("leaves in doubt what runs out of time: HTTP/1.1, " .. port, function()
      local client = transport.client(server, port, "stall-20", { timeout = TIMEOUT })
      local calls, results = {}, {}
      for number = 1, 12 do
        calls[number] = assert(start_large(client, number))
      end
      for number = 1, 12 do
        record(results, number, calls[number]:wait(20))
      end
      assert(close_and_judge(client, results).unknown > 0)
    end)
  end

  for _, mode in ipairs(transport.MODES) do
    it("leaves in doubt what runs out of time: HTTP/2, " .. mode, function()
      local client = new(mode, { timeout = TIMEOUT })
      local results = transport.send(client, mode, 1, COUNT, { size = SIZE })
      assert(close_and_judge(client, results).unknown > 0)
    end)
  end
end)
