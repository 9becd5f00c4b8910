#!/usr/bin/env lua
os.exit(require("connectly.cli").main(arg), true)
