<?php
// Members join by Zoom once their address is verified.
class User {
    public $email_verification_token;
    public $verificationToken;
}
