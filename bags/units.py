"""Units of fields, where the definition of a type of messages fixes them."""

_UNITS = {
    "sensor_msgs/msg/Temperature": {"temperature": "°C", "variance": "°C²"},
    "sensor_msgs/msg/FluidPressure": {"fluid_pressure": "Pa", "variance": "Pa²"},
    "sensor_msgs/msg/Illuminance": {"illuminance": "lx"},
    "sensor_msgs/msg/MagneticField": {"magnetic_field": "T"},
    "sensor_msgs/msg/Range": {"range": "m", "min_range": "m", "max_range": "m", "field_of_view": "rad"},
    "sensor_msgs/msg/NavSatFix": {"latitude": "°", "longitude": "°", "altitude": "m"},
    "sensor_msgs/msg/Imu": {"linear_acceleration": "m/s²", "angular_velocity": "rad/s"},
    "geometry_msgs/msg/Accel": {"linear": "m/s²", "angular": "rad/s²"},
    "geometry_msgs/msg/Twist": {"linear": "m/s", "angular": "rad/s"},
    "sensor_msgs/msg/BatteryState": {"voltage": "V", "current": "A", "temperature": "°C"},
    "atlas_collector/msg/Acceleration": {"x": "m/s²", "y": "m/s²", "z": "m/s²"},
    "atlas_collector/msg/ParticulateMatter": {"pm1_0": "µg/m³", "pm2_5": "µg/m³", "pm10": "µg/m³"},
    "atlas_collector/msg/GasReading": {
        "temperature": "°C",
        "humidity": "%",
        "pressure": "hPa",
        "gas_resistance": "Ω",
    },
}


def unit_of(type_name: str, field: str) -> str:
    """The unit of a field such as `linear_acceleration.x`; nothing where the type does not fix it."""
    return _UNITS.get(type_name, {}).get(field.partition(".")[0], "")
