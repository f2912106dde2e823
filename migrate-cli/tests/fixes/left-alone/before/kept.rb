# migrate-ignore: waits for the contract to end
BASE = 'https://api.zoom.us/v1'
