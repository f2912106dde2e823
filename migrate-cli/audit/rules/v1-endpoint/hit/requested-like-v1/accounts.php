<?php
// Creates accounts at Zoom.
remote('user/custcreate', ['email' => $email, 'type' => 1]);
