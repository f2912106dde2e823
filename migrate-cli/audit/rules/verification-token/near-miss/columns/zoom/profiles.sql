-- Hosts of Zoom meetings confirm their numbers.
ALTER TABLE profiles ADD COLUMN phone_verification_token text;
ALTER TABLE profiles ADD COLUMN sms_verification_token text;
ALTER TABLE profiles ADD COLUMN zoom_user_id text;
