module lobby
