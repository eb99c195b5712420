/** Where the tasks run: public subnets, no NAT gateway, nothing let in. */
import { IpAddresses, SecurityGroup, SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import type { DeploymentConfig } from './config.js';
import { acknowledgeNoFlowLogs } from './findings.js';

/** The VPC, the subnets and the one security group. */
export class Network extends Construct {
  readonly vpc: IVpc;
  readonly subnets: SubnetSelection;
  readonly assignPublicIp: boolean;
  readonly securityGroup: ISecurityGroup;

  /** @param existing - a VPC to use; without it, one is made */
  constructor(scope: Construct, id: string, existing: DeploymentConfig['vpc']) {
    super(scope, id);
    if (existing === undefined) {
      // A task with a public address needs no NAT gateway, which would be the largest item of the bill.
      this.vpc = new Vpc(this, 'Vpc', {
        ipAddresses: IpAddresses.cidr('10.64.0.0/20'),
        maxAzs: 2,
        natGateways: 0,
        subnetConfiguration: [{ name: 'public', subnetType: SubnetType.PUBLIC, cidrMask: 24 }],
        // Only what has a place in it gets an address, not whatever is started in the subnet.
        restrictDefaultSecurityGroup: false,
      });
      acknowledgeNoFlowLogs(this.vpc);
      this.subnets = { subnetType: SubnetType.PUBLIC };
      this.assignPublicIp = true;
    } else {
      this.vpc = Vpc.fromVpcAttributes(this, 'Vpc', {
        vpcId: existing.id,
        availabilityZones: existing.availabilityZones,
        publicSubnetIds: existing.subnetIds,
      });
      this.subnets = { subnets: this.vpc.publicSubnets };
      this.assignPublicIp = existing.assignPublicIp;
    }
    this.securityGroup = new SecurityGroup(this, 'Outgoing', {
      vpc: this.vpc,
      description: 'kvs-bridge: everything out (HTTPS, WSS, STUN, TURN, media), nothing in',
      allowAllOutbound: true,
    });
  }
}
