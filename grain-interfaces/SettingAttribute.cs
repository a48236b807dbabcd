namespace DataHub;

/// <summary>Says what a setting means: a property of an options class whose initial value is the default.</summary>
/// <param name="de">German, one line.</param>
/// <param name="en">English, one line.</param>
/// <remarks>
/// The host finds every class that has a constant <c>Section</c> (such as <c>DataHub:Shard</c>), binds it, checks it
/// against <see cref="System.ComponentModel.DataAnnotations.RangeAttribute"/> before anything else starts, and writes
/// the settings in <c>--help</c> from it; so a setting is described in one place only.
/// </remarks>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SettingAttribute(string de, string en) : Attribute
{
    public string De { get; } = de;

    public string En { get; } = en;
}
