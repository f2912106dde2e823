$BaseUri = 'https://api.zoom.us/v1'

function Invoke-Room([string]$Path, [hashtable]$Form) {
    Invoke-RestMethod -Uri "$BaseUri/$Path" -Method Post -Body $Form
}
