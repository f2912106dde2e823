static class Settings { public const string DeskUrl = "https://api.zoom.us/v1/"; }
