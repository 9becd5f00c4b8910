--- Temporary folders for specs.

local process = require "spec.support.process"

local folders = {}

--- One that is there until the tests of the `describe` in which it is called have run.
---@return string path
function folders.make()
  local path = process.capture("mktemp -d"):match("%S+")
  require("busted").teardown(function() os.execute("rm -rf " .. process.quote(path)) end)
  return path
end

return folders
