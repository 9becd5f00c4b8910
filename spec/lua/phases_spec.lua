-- Whether a call may give way in a phase of nginx is asked of lua-nginx-module: the
-- phases that there are differ from one version to the next. Here the module is a fake;
-- a real one is in spec/nginx/host_spec.lua.

describe("nginx's phases", function()
  local phase, answers, asked
  local kept_ngx, kept_semaphore = rawget(_G, "ngx"), package.loaded["ngx.semaphore"]

  --- What ngx.semaphore's wait says, and that it is asked not to wait.
  local semaphore = {}
  semaphore.__index = semaphore

  function semaphore:wait(seconds)
    assert(self.count == 0 and seconds == 0)
    asked = asked + 1
    local answer = answers[phase]
    if answer == "raises" then
      error("no request found")
    end
    return nil, answer
  end

  local function load_driver()
    rawset(_G, "ngx", {
      get_phase = function() return phase ~= "unnamed" and phase or error("unknown phase: 65536") end,
    })
    package.loaded["ngx.semaphore"] = { new = function(count) return setmetatable({ count = count }, semaphore) end }
    return dofile("lua/connectly/openresty/host.lua")
  end

  before_each(function()
    asked, answers = 0, setmetatable({}, { __index = function() return "timeout" end })
    answers.log, answers.header_filter = "API disabled in the context of log_by_lua*", "API disabled in the current context"
    answers.init_worker = "API disabled in the context of init_worker_by_lua*"
  end)

  after_each(function()
    rawset(_G, "ngx", kept_ngx)
    package.loaded["ngx.semaphore"] = kept_semaphore
  end)

  local function place_in(driver, name)
    phase = name
    return driver.place()
  end

  it("of which the module allows it give way, known here or not", function()
    local driver = load_driver()
    for _, name in ipairs {
      "content", "access", "rewrite", "timer", "ssl_cert", "precontent", "proxy_ssl_verify", "proxy_ssl_cert", "of_2030",
    } do
      assert.equal("loop", (place_in(driver, name)), name)
    end
  end)

  it("of which it does not say what can be done", function()
    local driver = load_driver()
    for _, name in ipairs { "log", "header_filter", "init_worker" } do
      local place, why = place_in(driver, name)
      assert.is_nil(place)
      assert.truthy(why:find(("in nginx's %s phase nothing can wait"):format(name), 1, true))
    end
  end)

  it("are asked for once each", function()
    local driver = load_driver()
    for _ = 1, 3 do
      place_in(driver, "content")
      place_in(driver, "log")
    end
    assert.equal(2, asked)
  end)

  it("that have no name are tried each time", function()
    local driver = load_driver()
    assert.equal("loop", (place_in(driver, "unnamed")))
    answers.unnamed = answers.log
    local place, why = place_in(driver, "unnamed")
    assert.is_nil(place)
    assert.truthy(why:find("nothing can wait", 1, true))
  end)

  it("are not judged by an answer that is none", function()
    local driver = load_driver()
    answers.content = "raises"
    assert.is_nil((place_in(driver, "content")))
    answers.content = "timeout"
    assert.equal("loop", (place_in(driver, "content")))
  end)

  it("before and after all requests block, without a question", function()
    local driver = load_driver()
    assert.equal("block", (place_in(driver, "init")))
    assert.equal("block", (place_in(driver, "exit_worker")))
    assert.equal(0, asked)
  end)
end)
