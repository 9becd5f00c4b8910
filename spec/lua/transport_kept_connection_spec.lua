-- A kept connection ends at the n-th request, which the server has read: that one is
-- unknown, none is sent again by itself, and the next one goes over another connection.

local connectly = require "connectly"
local cqueues = require "cqueues"
local folders = require "spec.support.folders"
local process = require "spec.support.process"
local tls = require "spec.support.fault.tls"
local transport = require "spec.support.transport"

local ALL = { "HTTP/1.1", "TLS, HTTP/1.1", "HTTP/2" }

describe("a kept connection that ends", function()
  local server = transport.serve()

  for _, ending in ipairs { "close", "reset" } do
    for _, nth in ipairs { 1, 2, 5 } do
      transport.each(ALL, { "inline", "start" }, function(port, mode, title)
        it(("with request %d, %s: %s"):format(nth, ending, title), function()
          local client = transport.client(server, port, ("%s-at-%d"):format(ending, nth))
          local results = transport.send_each(client, mode, 1, 10)
          client:close(0)
          local tally = server:last_tally()
          transport.judge(results, tally)
          assert.equal(10, tally.requests)
          for number, result in pairs(results) do
            if number % nth == 0 then
              assert(result.error and result.error.outcome == "unknown", "the server has it, and did not answer")
            else
              assert(result.id, tostring(result.error))
            end
          end
        end)
      end)
    end

    -- Attempts that end well are not counted: which of them meets the end is chance.
    transport.each(ALL, transport.MODES, function(port, mode, title)
      it(("under many calls, %s: %s"):format(ending, title), function()
        local client = transport.client(server, port, ending .. "-at-3")
        transport.prepare(client, mode)
        local results = transport.join(
          transport.send(client, mode, 1, 64), transport.send(client, mode, 101, 64),
          transport.send(client, mode, 201, 64))
        client:close(0)
        local counts = transport.judge(results, server:last_tally())
        assert(counts.unknown > 0 and counts.success > 0, ("%d unknown, %d succeeded: %s"):format(counts.unknown,
          counts.success, transport.sample(results)))
      end)
    end)
  end
end)

-- haproxy sends this code when its backend dies with the request already in it.
describe("a stream that is refused after its message was acted on", function()
  local server = transport.serve()

  for _, mode in ipairs { "inline", "start" } do
    it("is unknown and never repeated, first and on a kept connection: " .. mode, function()
      local client = transport.client(server, "https", "ok", { max_attempts = 3 })
      server:arm("refused-stream-acted-on", 1)
      local results = transport.send_each(client, mode, 1, 2)
      server:arm("refused-stream-acted-on", 1)
      results = transport.join(results, transport.send_each(client, mode, 3, 2))
      client:close(0)
      local tally = server:last_tally()
      transport.judge(results, tally)
      assert.equal("unknown", results[1].error and results[1].error.outcome)
      assert.equal("unknown", results[3].error and results[3].error.outcome)
      assert(results[2].id and results[4].id)
      assert.equal(4, tally.requests)
    end)
  end

  for _, mode in ipairs(transport.MODES) do
    it("is unknown among many: " .. mode, function()
      local client = transport.client(server, "https", "slow-20", { max_attempts = 3 })
      transport.prepare(client, mode)
      server:arm("refused-stream-acted-on", 20)
      local results = transport.send(client, mode, 1, 64)
      client:close(0)
      local tally = server:last_tally()
      local counts = transport.judge(results, tally)
      assert.equal(20, counts.unknown)
      assert.equal(44, counts.success)
    end)
  end
end)

-- libcurl 8.12 to 8.14 waits for the server's end of TLS, and needs a turn to read it.
describe("a connection over TLS that the server closes after its reply", function()
  local folder = folders.make()
  local peer

  local function write(name, text)
    local file = assert(io.open(folder .. "/" .. name, "w"))
    file:write(text)
    file:close()
    return folder .. "/" .. name
  end

  setup(function()
    local root = tls.authority("a company")
    local leaf = tls.server(root, {})
    write("root.pem", root.certificate:toPEM())
    peer = process.start {
      command = { os.getenv("FAULT_SERVER_LUA") or "lua5.4", "spec/support/tls_peer.lua",
        write("leaf.pem", leaf.certificate:toPEM()), write("key.pem", leaf.key:toPEM("private")) },
      ready = "^(%d+)$",
    }
  end)

  teardown(function() peer:stop() end)

  it("lets the worker sleep when no call is under way", function()
    local client = connectly.new {
      api_key = "key", business_id = "closing", base_url = "https://127.0.0.1:" .. peer.captured,
      ca_file = folder .. "/root.pem",
    }
    assert.equal("a", client:start("send_template", transport.message(1)):wait())
    local used = os.clock()
    cqueues.sleep(2)
    used = os.clock() - used
    client:close(0)
    assert(used < 0.02, ("%.3f s of a processor in 2 s without work"):format(used))
  end)
end)
