defmodule Desk do end
